import CMemory

/// Tells when the stack of the current thread comes to its end: threads of pools may have little of it.
struct StackRoom {
    /// The lowest address of the stack; looked up once, by the one thread that uses this.
    private var lowest: UInt?
    /// Kept free for what goes on without asking.
    private static let reserve: UInt = 128 << 10

    @inline(never)
    mutating func isUsedUp() -> Bool {
        var marker: UInt8 = 0
        let here = withUnsafeMutablePointer(to: &marker) { UInt(bitPattern: $0) }
        let lowest = self.lowest ?? UInt(lowest_stack_address())
        self.lowest = lowest
        return here < lowest + Self.reserve
    }
}
