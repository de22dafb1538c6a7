internal import Crypto
import Files
package import Foundation
import Scopes
import Synchronization

/// The checkpoints of one user, in a folder that several processes use at once.
///
/// # Layout
/// ```
/// STORE/               0700
///   secret             32 random bytes that digests are keyed with
///   lock               held for moments: to make a folder, to take leases, to choose what is removed
///   digests.json       digests of big files, by what stat says of them; may be lost at any time
///   stages/KEY.lock    held by who runs a stage that has no checkpoint
///   ID/                what the machine wrote in one stage
///     parent           the id of the folder whose layers these stand on; empty for a first stage
///     lease            locked, shared, by everyone who uses the folder
///     disk-0 …         whatever the caller puts there; 0400 once it is a checkpoint
///     memory.zst       the machine's memory
///     checkpoint.json  the manifest: the folder is a checkpoint once this is there
///     used             its modification time is the last use
///   .removed-ID/       a folder that is being removed
///   .partial-…         a file that is being written
/// ```
///
/// # Crash rules
/// - The manifest comes last: all other files and their folders are on the medium (fsync) before it gets its name
///   (write beside, fsync, rename, fsync of the folder). It names each file with size, time and SHA-256, and carries a
///   checksum of itself. A folder without one is garbage as soon as nobody leases it.
/// - A checkpoint counts only with all of its ancestors whole.
/// - Nothing that a manifest names is ever written again. A checkpoint is never repaired; one that is damaged loses its
///   manifest, and its stage is run again.
/// - The kernel drops every lock when its holder dies. So no lock is ever stale, and there is nothing to recover: what
///   a killed process left is garbage, and pruning removes it.
/// - Folders are made, leased and chosen for removal under `lock`; a remover first takes `lease` exclusively, then
///   renames the folder to `.removed-ID`. A lease protects the ancestors as well. The removal itself needs no lock.
package final class CheckpointStore: Sendable {
    /// The store's real path, links resolved: what layers name as their backing file starts with it.
    package let path: String
    let now: @Sendable () -> Date
    let secret: Sensitive<SymmetricKey>
    let fileDigests = Mutex(FileDigests())

    /// Opens the store and makes it where there is none.
    ///
    /// - Throws: `BuildError` with what to do.
    package init(path: String, now: @escaping @Sendable () -> Date = { Date() }) throws {
        let operation = "open the checkpoints in \(path)"
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw BuildError(
                operation: operation, hint: "Check that the cache folder can be written to, or name another one.",
                underlying: error)
        }
        guard let real = realpath(path, nil) else { throw systemFailure(operation) }
        defer { free(real) }
        self.path = String(cString: real)
        self.now = now
        guard let status = fileStatus(self.path), status.owner == geteuid() else {
            throw BuildError(
                operation, because: "the folder belongs to another user",
                hint: "Run as that user, or use another cache folder.")
        }
        // Memory and disks of machines lie here.
        guard chmod(self.path, 0o700) == 0 else { throw systemFailure(operation) }
        guard mkdir(self.path + "/stages", 0o700) == 0 || errno == EEXIST else { throw systemFailure(operation) }
        secret = try Self.secret(in: self.path)
    }

    /// Reads the secret, or makes it under the lock, so that all processes have the same.
    private static func secret(in store: String) throws -> Sensitive<SymmetricKey> {
        let path = store + "/secret"
        let length = 32
        if let bytes = readSmallFile(path, limit: length), bytes.count == length {
            return Sensitive(SymmetricKey(data: bytes))
        }
        return try withStoreLock(store) {
            // One that was cut could be guessed. With another one the old checkpoints are not found any more.
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

/// 13 digits of base 36, which no other folder of the store has.
func randomID() -> String {
    let digits = String(UInt64.random(in: 0 ... .max), radix: 36)
    return String(repeating: "0", count: 13 - digits.count) + digits
}

func isID(_ name: String) -> Bool {
    (13...32).contains(name.utf8.count)
        && name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) }
}
