import Scopes

/// A dialog of the Debian installer that waits for an answer, which an unattended installation never gets.
package struct InstallerDialog: Sendable, Equatable {
    /// As on the screen, with the mark of its priority: `[!!] Partition disks`.
    package let title: String
    private let screen: [String]
    private let firstSeen: ContinuousClock.Instant
    private let lastSeen: ContinuousClock.Instant

    /// Looks for a dialog on a screen.
    ///
    /// - Parameters:
    ///   - screen: Its lines.
    ///   - previous: What was there at the look before.
    ///   - now: When the screen was taken.
    package init?(on screen: [String], after previous: InstallerDialog?, now: ContinuousClock.Instant) {
        let titles = screen.lazy.compactMap { $0.firstMatch(of: /[┤|] (\[!!?\] [^┤├|]+) [├|]/)?.1 }
        guard let title = titles.first else { return nil }
        self.title = String(title)
        self.screen = screen
        firstSeen = previous?.screen == screen ? previous?.firstSeen ?? now : now
        lastSeen = now
    }

    /// How long the screen has shown it unchanged.
    ///
    /// - Parameter activity: The guest's last sign of life elsewhere, from when on the time counts.
    package func age(since activity: ContinuousClock.Instant) -> Duration { lastSeen - max(firstSeen, activity) }

    /// The end of a build whose installer has waited for too long.
    ///
    /// - Parameter errors: The last ones in the installer's log.
    func unanswered(for age: Duration, errors: [String]) -> BuildError {
        BuildError(
            "install the guest",
            because: "the installer has shown the dialog “\(title)” for \(age.text), and nothing else happened"
                + (errors.isEmpty ? "" : "; errors in its log:" + errors.map { "\n    \($0)" }.joined()),
            hint:
                "If it asks a question, answer it in the answer file. -on-error=ask or -on-error=abort keeps the machine, "
                + "with the dialog on its VNC screen. installer_dialog_timeout = \"0s\" waits on.")
    }
}
