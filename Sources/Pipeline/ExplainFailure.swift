import ComponentModel
import Foundation
import Machines
import Processes
import Scopes

/// Adds to an error what this host says about it: the package of a missing program, the room on a full file system.
struct ExplainFailure: Sendable {
    let scope: BuildScope
    var distribution = Distribution.current()

    func explain(_ error: any Error) -> any Error {
        let text = "\(error)"
        if let error = error as? BuildError, error.underlying is ProgramNotFound {
            // Such as `run qemu-img`.
            let program = String(error.operation.split(separator: " ").last ?? "")
            return part(of: program).map { adding("Install it: \(distribution.install($0))", to: error) } ?? error
        }
        let isFull = (error as? MachineStopped)?.reason == .outOfRoom
        guard isFull || text.contains("No space left on device") || text.contains("no room") else { return error }
        let rooms = rooms
        guard !rooms.isEmpty else { return error }
        let error = error as? BuildError ?? BuildError(operation: "finish the build", underlying: error)
        return adding("Room left: \(rooms.joined(separator: ", ")).", to: error)
    }

    private func adding(_ hint: String, to error: BuildError) -> BuildError {
        var error = error
        error.hint = [error.hint, hint].compactMap(\.self).joined(separator: "\n  ")
        return error
    }

    private func part(of program: String) -> Distribution.Part? {
        ["qemu-system-x86_64": .qemu, "qemu-img": .qemuImg, "ssh": .ssh, "swtpm": .swtpm][program]
    }

    /// The folders that a build writes to, with the room on their file systems; each file system once.
    private var rooms: [String] {
        let output = URL(filePath: scope.context.absolute(scope.source.outputDirectory)).standardizedFileURL
        let options = scope.options.checkpoints
        let folders =
            [output.deletingLastPathComponent().path] + (options.offBecause == nil ? [options.store] : [])
            + [scope.context.temporaryFolder]
        var seen: Set<UInt> = []
        return folders.compactMap { folder in
            var status = statvfs()
            guard statvfs(folder, &status) == 0, seen.insert(status.f_fsid).inserted else { return nil }
            let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
            return "\(free >> 20) MiB in \(folder)"
        }
    }
}
