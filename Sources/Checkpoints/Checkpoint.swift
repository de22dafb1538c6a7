internal import Crypto
package import Files
import Foundation
import Scopes

/// A checkpoint does not match its manifest.
package struct DamagedCheckpoint: Error, Equatable, CustomStringConvertible {
    /// The id of the checkpoint.
    package var id: String
    /// What is wrong, such as "disk-0 is missing".
    package var reason: String

    package init(id: String, reason: String) {
        self.id = id
        self.reason = reason
    }

    package var description: String { "the checkpoint \(id) is damaged: \(reason)" }
}

/// A checkpoint in use: it and its ancestors are not removed until `release()`.
///
/// Keep it alive with a `release()` in a teardown: the compiler releases an object, and with it the leases, after its last
/// use.
package struct Checkpoint: Sendable {
    /// The manifests from the first stage on; the last one is that of the checkpoint itself.
    package let chain: [Manifest]
    /// The manifest of the checkpoint itself.
    package let manifest: Manifest
    /// The leases on the chain.
    package let leases: [FileLock]
    private let store: String

    /// - Parameter chain: Must not be empty.
    init?(chain: [Manifest], leases: [FileLock], store: String) {
        guard let last = chain.last else { return nil }
        self.chain = chain
        manifest = last
        self.leases = leases
        self.store = store
    }

    /// The id, which is the name of its folder.
    package var id: String { manifest.id }
    /// The absolute path of its folder.
    package var folder: String { folder(of: manifest.id) }

    /// The folder of a checkpoint in the chain.
    package func folder(of id: String) -> String { store + "/" + id }

    /// Ends the leases; a second call does nothing.
    package func release() { for lease in leases { lease.release() } }

    /// Checks that every file of the chain exists with its size and time.
    ///
    /// - Throws: `DamagedCheckpoint`.
    package func check() throws {
        for manifest in chain { try manifest.check(in: folder(of: manifest.id)) }
    }

    /// Reads all files of the chain that a machine reads, and compares the digests: of the ancestors, only the disks.
    ///
    /// This takes about a second per one or two gigabytes; the machine may run at the same time.
    ///
    /// - Throws: `DamagedCheckpoint`, also for a file that cannot be read; `BuildError` for a failure of this host;
    ///   `CancellationError`.
    package func verify() async throws {
        try await onOwnThread("verify") { [self] flag in
            try check()
            for manifest in chain {
                for file in manifest.files where manifest.id == id || file.name.hasPrefix("disk-") {
                    try verify(file, of: manifest, flag)
                }
            }
        }
    }

    private func verify(_ file: Manifest.File, of manifest: Manifest, _ flag: CancellationFlag) throws {
        let path = folder(of: manifest.id) + "/" + file.name
        let operation = "verify \(path)"
        func unreadable(_ reason: String) -> DamagedCheckpoint {
            DamagedCheckpoint(id: manifest.id, reason: "\(file.name) cannot be read: \(reason)")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            let number = errno
            if number == ENOENT { throw DamagedCheckpoint(id: manifest.id, reason: "\(file.name) is missing") }
            // Errors such as too many open files are not caused by the checkpoint.
            guard [EACCES, EPERM, EIO, ELOOP, ENXIO, ESTALE].contains(number) else { throw systemFailure(operation) }
            throw unreadable(String(cString: strerror(number)))
        }
        defer { close(descriptor) }
        let digest: String
        do { digest = try sha256(of: descriptor, flag, operation) } catch let error as BuildError {
            throw unreadable("\(error.underlying)")
        }
        guard digest == file.sha256 else {
            throw DamagedCheckpoint(id: manifest.id, reason: "the content of \(file.name) changed")
        }
    }

    /// Unpacks the memory into a new file, checking its checksum and size; zeros become holes.
    ///
    /// - Throws: `DamagedCheckpoint`, `BuildError`, `CancellationError`; the file is removed then.
    package func unpackMemory(to path: String) async throws {
        guard let memory = manifest.memory else {
            throw BuildError("load the memory of the checkpoint \(id)", because: "it has none")
        }
        try await onOwnThread("unpack memory") { [id, folder] flag in
            let source = folder + "/" + memoryFile
            do { try Checkpoints.unpackMemory(source, to: path, size: memory.size, flag) } catch let error
                as PackedDamage
            {
                throw DamagedCheckpoint(id: id, reason: "\(memoryFile): \(error.reason)")
            }
        }
    }

    /// Makes sure that a checkpoint and its descendants are never used again.
    ///
    /// - Parameter damage: Names the damaged checkpoint of the chain; nil for the last one.
    package func markDamaged(_ damage: DamagedCheckpoint? = nil) {
        let folder = folder(of: chain.first { $0.id == damage?.id }?.id ?? id)
        unlink(folder + "/" + Manifest.fileName)
        // It is gone for every process; flushing may fail, and then a power cut may bring it back.
        try? synchronize(folder)
    }
}

/// The names of the packed memory in a checkpoint and of the raw image that it is made from.
let memoryFile = "memory.zst"
let rawMemoryFile = "memory"

/// The SHA-256 of an open file.
func sha256(of descriptor: Int32, _ flag: CancellationFlag, _ operation: String) throws -> String {
    var hash = SHA256()
    _ = try readPieces(descriptor, flag, operation) { hash.update(bufferPointer: $0) }
    return hexadecimal(hash.finalize())
}

extension Manifest {
    /// Checks that every file exists with its size and time.
    ///
    /// - Throws: `DamagedCheckpoint`.
    func check(in folder: String) throws {
        for file in files {
            guard let status = fileStatus(folder + "/" + file.name), status.isRegularFile else {
                throw DamagedCheckpoint(id: id, reason: "\(file.name) is missing")
            }
            let stamp = status.stamp
            guard stamp.size == file.size else {
                throw DamagedCheckpoint(
                    id: id, reason: "\(file.name) has \(stamp.size) bytes instead of \(file.size)")
            }
            guard stamp.modification == file.modification else {
                throw DamagedCheckpoint(id: id, reason: "\(file.name) was modified")
            }
            guard faccessat(AT_FDCWD, folder + "/" + file.name, R_OK, AT_EACCESS) == 0 else {
                let reason = String(cString: strerror(errno))
                throw DamagedCheckpoint(id: id, reason: "\(file.name) cannot be read: \(reason)")
            }
        }
        guard fileStatus(folder + "/lease")?.isRegularFile == true else {
            throw DamagedCheckpoint(id: id, reason: "lease is missing")
        }
        guard memory == nil || files.contains(where: { $0.name == memoryFile }) else {
            throw DamagedCheckpoint(id: id, reason: "\(memoryFile) is missing")
        }
    }
}
