internal import Crypto
package import Files
import Foundation
import Scopes

/// A checkpoint is not what its manifest says.
package struct DamagedCheckpoint: Error, Equatable, CustomStringConvertible {
    package var id: String
    /// "disk-0 is missing".
    package var reason: String

    package init(id: String, reason: String) {
        self.id = id
        self.reason = reason
    }

    package var description: String { "the checkpoint \(id) is damaged: \(reason)" }
}

/// A whole checkpoint in use: it and its ancestors are not removed until `release()`.
///
/// Keep it with a `release()` in a teardown: the compiler drops what it sees no further use of, and the leases with it.
package struct Checkpoint: Sendable {
    /// From the first stage on; the checkpoint itself is the last.
    package let chain: [Manifest]
    package let manifest: Manifest
    package let leases: [FileLock]
    private let store: String

    /// - Parameter chain: Not empty.
    init?(chain: [Manifest], leases: [FileLock], store: String) {
        guard let last = chain.last else { return nil }
        self.chain = chain
        manifest = last
        self.leases = leases
        self.store = store
    }

    package var id: String { manifest.id }
    package var folder: String { folder(of: manifest.id) }

    /// The folder of one in the chain.
    package func folder(of id: String) -> String { store + "/" + id }

    package func release() { for lease in leases { lease.release() } }

    /// Looks whether every file of the chain is there with its size and time.
    ///
    /// - Throws: `DamagedCheckpoint`.
    package func check() throws {
        for manifest in chain { try manifest.check(in: folder(of: manifest.id)) }
    }

    /// Reads all of the chain that a machine would read, and compares the digests: of the ancestors, the disks.
    ///
    /// It takes about a second for each gigabyte or two; a machine may already work meanwhile.
    ///
    /// - Throws: `DamagedCheckpoint`, also for what can't be read, `BuildError` when this host has no room for it,
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
            // Too many open files and the like say nothing about it.
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

    /// Unpacks the memory into a new file. Its checksum and its size are checked; what is zero becomes a hole.
    ///
    /// - Throws: `DamagedCheckpoint`, `BuildError`, `CancellationError`; there is no file then.
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

    /// Sees to it that a checkpoint is never resolved again, nor what stands on it.
    ///
    /// - Parameter damage: Which one of the chain; nil: the last.
    package func markDamaged(_ damage: DamagedCheckpoint? = nil) {
        let folder = folder(of: chain.first { $0.id == damage?.id }?.id ?? id)
        unlink(folder + "/" + Manifest.fileName)
        // It is gone for every process; that it stays so after a power cut is as much as can be tried.
        try? synchronize(folder)
    }
}

/// The name of the packed memory in a checkpoint, and of the raw image that it is made from.
let memoryFile = "memory.zst"
let rawMemoryFile = "memory"

/// The SHA-256 of an open file.
func sha256(of descriptor: Int32, _ flag: CancellationFlag, _ operation: String) throws -> String {
    var hash = SHA256()
    _ = try readPieces(descriptor, flag, operation) { hash.update(bufferPointer: $0) }
    return hexadecimal(hash.finalize())
}

extension Manifest {
    /// Looks whether every file is there with its size and time.
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
                    id: id, reason: "\(file.name) has \(stamp.size) bytes, it should have \(file.size)")
            }
            guard stamp.modification == file.modification else {
                throw DamagedCheckpoint(id: id, reason: "\(file.name) was written to")
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
