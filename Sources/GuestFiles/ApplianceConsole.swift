import CGuestfs
import Synchronization

/// The messages of libguestfs and its appliance.
final class ApplianceConsole: Sendable {
    private struct State {
        var text = ""
        var progress: @Sendable (Double) -> Void = { _ in }
    }
    private static let limit = 32 << 10
    private let state = Mutex(State())

    /// The last messages, at most 32 KiB.
    var text: String { state.withLock { $0.text } }

    func onProgress(_ body: @escaping @Sendable (Double) -> Void) { state.withLock { $0.progress = body } }

    private func add(_ piece: String) {
        state.withLock {
            $0.text += piece
            if $0.text.utf8.count > Self.limit { $0.text = String($0.text.suffix(Self.limit / 2)) }
        }
    }

    private func report(_ fraction: Double) { state.withLock { $0.progress }(fraction) }

    static let events = UInt64(
        GUESTFS_EVENT_APPLIANCE | GUESTFS_EVENT_LIBRARY | GUESTFS_EVENT_WARNING | GUESTFS_EVENT_PROGRESS)

    /// For `guestfs_set_event_callback`; the opaque pointer is an unretained console.
    static let callback: guestfs_event_callback = { _, opaque, event, _, _, buffer, length, numbers, count in
        guard let opaque else { return }
        let console = Unmanaged<ApplianceConsole>.fromOpaque(opaque).takeUnretainedValue()
        if event == UInt64(GUESTFS_EVENT_PROGRESS) {
            // Procedure, serial number, position, total.
            guard let numbers, count >= 4, numbers[3] > 0 else { return }
            console.report(min(Double(numbers[2]) / Double(numbers[3]), 1))
        } else if let buffer {
            console.add(String(decoding: UnsafeRawBufferPointer(start: buffer, count: length), as: UTF8.self))
        }
    }
}
