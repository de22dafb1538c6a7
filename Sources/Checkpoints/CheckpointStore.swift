internal import Crypto
import Files
package import Foundation
import Scopes
import Synchronization

/// The checkpoints of one user, in a folder that several processes use at the same time.
///
/// # Layout
/// ```
/// STORE/               0700
///   secret             32 random bytes that digests are keyed with
///   lock               held briefly: to make a folder, to take leases, to choose what to remove
///   digests.json       a cache of digests of large files, keyed by their stat data
///   stages/KEY.lock    held by the process that runs a stage without a checkpoint
///   ID/                the data that the machine wrote in one stage
///     parent           the id of the folder with the backing files of these layers; empty for a first stage
///     lease            a shared lock of every process that uses the folder
///     disk-0 …         the caller's files; 0400 once the folder is a checkpoint
///     memory.zst       the machine's memory
///     checkpoint.json  the manifest: the folder is a checkpoint once this exists
///     used             its modification time is the last use
///   .removed-ID/       a folder that is being removed
///   .partial-…         a file that is being written
/// ```
///
/// # Crash rules
/// - The manifest comes last: all other files and their folders are on the medium (fsync) before it gets its name
///   (temporary file, fsync, rename, fsync of the folder). It lists each file with size, time and SHA-256, and has a
///   checksum of its own. A folder without a manifest is garbage as soon as it has no lease.
/// - A checkpoint is valid only if all of its ancestors are.
/// - A file in a manifest is never written again. A checkpoint is never repaired: a damaged one loses its manifest, and
///   its stage runs again.
/// - The kernel releases every lock when its holder dies. So no lock is ever stale, and there is nothing to recover: the
///   remains of a killed process are garbage, and pruning removes them.
/// - Folders are made, leased and chosen for removal under `lock`; to remove a folder, a process takes its `lease`
///   exclusively and renames it to `.removed-ID`. A lease protects the ancestors as well. The removal itself needs no
///   lock.
package final class CheckpointStore: Sendable {
    /// The store's path with links resolved: the backing files of layers start with it.
    package let path: String
    let now: @Sendable () -> Date
    let secret: Sensitive<SymmetricKey>
    let fileDigests = Mutex(FileDigests())

    /// Opens the store, creating it if it does not exist.
    ///
    /// - Throws: `BuildError`.
    package init(path: String, now: @escaping @Sendable () -> Date = { Date() }) throws {
        let operation = "open the checkpoints in \(path)"
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw BuildError(
                operation: operation,
                hint: "Check that the cache folder is writable, or set INGOT_CHECKPOINTS to another folder.",
                underlying: error)
        }
        guard let real = realpath(path, nil) else { throw systemFailure(operation) }
        defer { free(real) }
        self.path = String(cString: real)
        self.now = now
        guard let status = fileStatus(self.path), status.owner == geteuid() else {
            throw BuildError(
                operation, because: "the folder belongs to another user",
                hint: "Run as that user, or set INGOT_CHECKPOINTS to another folder.")
        }
        // It contains the memory and disks of machines.
        guard chmod(self.path, 0o700) == 0 else { throw systemFailure(operation) }
        guard mkdir(self.path + "/stages", 0o700) == 0 || errno == EEXIST else { throw systemFailure(operation) }
        secret = try Self.secret(in: self.path)
    }

    /// Reads the secret, or makes it under the lock, so that all processes have the same one.
    private static func secret(in store: String) throws -> Sensitive<SymmetricKey> {
        let path = store + "/secret"
        let length = 32
        if let bytes = readSmallFile(path, limit: length), bytes.count == length {
            return Sensitive(SymmetricKey(data: bytes))
        }
        return try withStoreLock(store) {
            // A truncated secret could be guessed. With a new one the old checkpoints are no longer found.
            if let status = fileStatus(path), status.isRegularFile, status.size == length {
                guard let bytes = readSmallFile(path, limit: length) else { throw systemFailure("read \(path)") }
                return Sensitive(SymmetricKey(data: bytes))
            }
            let fresh = SymmetricKey(size: .bits256)
            try writeWhole(
                fresh.withUnsafeBytes { Data($0) }, to: path, beside: store + "/.partial-secret", in: store)
            return Sensitive(fresh)
        }
    }
}

/// A new random name of 13 base-36 digits.
func randomID() -> String {
    let digits = String(UInt64.random(in: 0 ... .max), radix: 36)
    return String(repeating: "0", count: 13 - digits.count) + digits
}

func isID(_ name: String) -> Bool {
    (13...32).contains(name.utf8.count)
        && name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) }
}
