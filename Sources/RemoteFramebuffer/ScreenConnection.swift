/// A connection to a guest's screen and keyboard.
package protocol ScreenConnection: Sendable {
    /// Presses or releases a key.
    func sendKey(_ keysym: UInt32, down: Bool) async throws

    /// The whole screen as it is now.
    func framebuffer() async throws -> Framebuffer

    /// Asks for an update at the next change.
    func requestChanges() async throws

    /// The screen as of the last update.
    var picture: Framebuffer { get async }

    /// How many updates have come so far.
    var updates: Int { get async }

    /// Waits for an update after the given one, for `limit` at most.
    ///
    /// - Returns: Whether one came.
    func waitForUpdate(after count: Int, limit: Duration) async throws -> Bool

    func close()
}

extension VNCConnection: ScreenConnection {}
