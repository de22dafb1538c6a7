import Scopes
import Synchronization

/// The last sign of life of a guest, for the lines that tell what a wait waits for.
final class GuestActivity: Sendable {
    private let last = Mutex<(text: String, time: ContinuousClock.Instant)?>(nil)

    func note(_ text: String) {
        last.withLock { $0 = (text, .now) }
    }

    /// "last sign of the guest 12 s ago: GET /preseed.cfg 200".
    var summary: String? {
        last.withLock { $0 }.map { "last sign of the guest \((ContinuousClock.now - $0.time).text) ago: \($0.text)" }
    }
}

/// Something that is set once.
final class Flag: Sendable {
    private let value = Mutex(false)
    func set() { value.withLock { $0 = true } }
    var isSet: Bool { value.withLock { $0 } }
}

/// What a wait has seen so far, from any thread.
final class WaitState: Sendable {
    private let value = Mutex<String?>(nil)
    var text: String? {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
