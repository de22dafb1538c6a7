import CGuestfs
import Foundation
import Scopes
import Synchronization

/// The processes of one appliance, and the private folder whose name identifies them.
///
/// libguestfs gives the process ID of its hypervisor only once the appliance answers, and a call that waits for it
/// blocks the handle. So that a hanging start can be stopped, the processes are found among the children of this one.
final class ApplianceProcesses: Sendable {
    let folder: String
    private struct State {
        /// The handle's address, since pointers are not Sendable.
        var handle: UInt = 0
        var isStarting = true
        var isFinished = false
    }
    private let state = Mutex(State())

    init(parent: String) throws {
        var template = Array("\(parent)/ingot-appliance-XXXXXX".utf8CString)
        guard let made = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) else {
            let reason = String(cString: strerror(errno))
            throw BuildError(
                "make a folder for libguestfs in \(parent)", because: reason,
                hint: "Name a folder with room in TMPDIR.")
        }
        // As libguestfs writes it on command lines: links resolved, no doubled slashes.
        let real = realpath(made, nil)
        defer { free(real) }
        folder = String(cString: real ?? made)
    }

    func watch(_ handle: OpaquePointer?) {
        let address = UInt(bitPattern: handle)
        state.withLock { $0.handle = address }
    }

    /// Makes calls in progress fail by killing the appliance until the work is over.
    func interrupt() {
        let thread = Thread { [self] in
            while killChildren() { usleep(100_000) }
        }
        thread.start()
    }

    /// - Returns: Whether the work goes on.
    private func killChildren() -> Bool {
        state.withLock { state in
            // This call is allowed on any thread while the handle exists, which the lock ensures.
            if let handle = OpaquePointer(bitPattern: state.handle) {
                _ = ingot_guestfs_library()?.pointee.user_cancel(handle)
            }
            if state.isFinished { return false }
            for process in children(isStarting: state.isStarting) { kill(process, SIGKILL) }
            return true
        }
    }

    /// Notes that the appliance has started, or failed to: from now on no supermin process belongs to it.
    func endStart() { state.withLock { $0.isStarting = false } }

    /// Notes that the appliance has ended, and removes its folder.
    func finish() {
        state.withLock { $0.isFinished = true }
        try? FileManager.default.removeItem(atPath: folder)  // A leftover in the temporary folder does no harm.
    }

    /// Children of this process that belong to this appliance. The arguments of QEMU and qemu-img contain the folder; those
    /// of supermin, which builds the appliance, do not, so appliances start one at a time.
    private func children(isStarting: Bool) -> [pid_t] {
        let own = getpid()
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { pid_t($0) }.filter { process in
            guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                // The state and the parent follow the name, which may contain anything.
                let rest = status.split(separator: ")").last?.split(separator: " "), rest.count > 1,
                pid_t(rest[1]) == own,
                let arguments = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
            else { return false }  // It has ended meanwhile.
            let words = String(decoding: arguments, as: UTF8.self).split(separator: "\0")
            return words.contains { $0.contains(folder) } || isStarting && words.first?.hasSuffix("supermin") == true
        }
    }
}
