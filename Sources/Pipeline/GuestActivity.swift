package import HTTPServing
import Scopes
import Synchronization

/// The last sign of life of a guest, for the lines that say what a wait waits for.
final class GuestActivity: Sendable {
    private let last = Mutex<(text: String, time: ContinuousClock.Instant)?>(nil)

    private let errors = Mutex<[String]>([])

    func note(_ text: String) {
        last.withLock { $0 = (text, .now) }
    }

    /// Takes a line of the installer's log.
    func note(installer message: SyslogMessage) {
        let line = "\(message.tag): \(message.text)"
        note(line)
        guard isInstallerError(message) else { return }
        errors.withLock { $0 = ($0 + [line]).suffix(3) }
    }

    var lastTime: ContinuousClock.Instant? { last.withLock { $0?.time } }

    /// The last few lines of the installer's log that report an error.
    var installerErrors: [String] { errors.withLock { $0 } }

    /// "last sign of the guest 12 s ago: GET /preseed.cfg 200".
    var summary: String? {
        last.withLock { $0 }.map { "last sign of the guest \((ContinuousClock.now - $0.time).text) ago: \($0.text)" }
    }
}

/// Whether a line of the installer's log reports an error, by its words: few programs of the installer log with a severity.
package func isInstallerError(_ message: SyslogMessage) -> Bool {
    guard message.severity != 7, !message.tag.hasPrefix("kernel") else { return false }
    return message.text.contains(
        /(?i)\b(error|fail(ed|ure)?|bad|mismatch|unable|cannot|could not|not found|no packages)\b/)
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
