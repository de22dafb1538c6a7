import Files
import Foundation
import Scopes

extension CheckpointStore {
    /// Makes a folder a checkpoint: packs `memory` if the draft has one, makes every file read-only, flushes and digests
    /// it, and writes the manifest last.
    ///
    /// Nothing may write to the folder's files any more, except to `memory` if the draft has none: it is removed.
    /// Sockets and empty folders are not part of a checkpoint. The folder keeps its lease.
    ///
    /// - Throws: `BuildError`, also if the parent is not a checkpoint; `CancellationError`. The folder cannot become a
    ///   checkpoint then, though layers on top of it can still use its disks.
    package func commit(_ folder: StageFolder, _ draft: ManifestDraft) async throws -> Checkpoint {
        try await onOwnThread("commit") { [self] flag in
            let operation = "save the checkpoint of \(draft.title) in \(folder.path)"
            let ancestors = try leasedAncestors(of: folder, operation, flag)
            do {
                var manifest = Manifest(
                    id: folder.id, parent: folder.parent, store: path, generation: 0, now: now(), draft)
                manifest.memory = try keepMemory(of: folder, draft, flag)
                let names = try contents(of: folder.path, operation)
                for name in names { manifest.files.append(try freeze(name, in: folder.path, flag)) }
                let lease = try publish(&manifest, in: folder, flag)
                guard
                    let checkpoint = Checkpoint(
                        chain: ancestors.chain + [manifest], leases: ancestors.leases + lease, store: path)
                else { throw BuildError(operation, because: "it has no manifest") }
                return checkpoint
            } catch {
                for lease in ancestors.leases { lease.release() }
                throw error
            }
        }
    }

    private func leasedAncestors(
        of folder: StageFolder, _ operation: String, _ flag: CancellationFlag
    ) throws -> (chain: [Manifest], leases: [FileLock]) {
        guard let parent = folder.parent else { return ([], []) }
        return try withLock(flag) {
            guard let chain = StoredFolders(path).wholeChain(of: parent) else {
                throw BuildError(
                    operation, because: "its parent, \(parent), is not a valid checkpoint",
                    hint: "The next build runs both stages again.")
            }
            return (chain, try lease(chain.map(\.id)))
        }
    }

    private func keepMemory(
        of folder: StageFolder, _ draft: ManifestDraft, _ flag: CancellationFlag
    ) throws -> Manifest.Memory? {
        let raw = folder.path + "/" + rawMemoryFile
        guard let requirements = draft.memory else {
            guard unlink(raw) == 0 || errno == ENOENT else { throw systemFailure("remove \(raw)") }
            return nil
        }
        let size = try packMemory(raw, to: folder.path + "/" + memoryFile, flag)
        guard unlink(raw) == 0 else { throw systemFailure("remove \(raw)") }
        return Manifest.Memory(size: size, requirements: requirements)
    }

    /// The names of the caller's files in a folder. Flushes the folders below it.
    private func contents(of folder: String, _ operation: String) throws -> [String] {
        var result: [String] = []
        let own: Set = ["lease", "parent", "used", Manifest.fileName]
        for entry in FileManager.default.enumerator(atPath: folder).map({ Array($0) }) ?? [] {
            guard let name = entry as? String, !own.contains(name) else { continue }
            guard let status = fileStatus(folder + "/" + name) else {
                throw BuildError(operation, because: "\(name) was removed meanwhile")
            }
            switch status.kind {
            case .regular: result.append(name)
            case .folder: try synchronize(folder + "/" + name)
            case .socket, .pipe: continue
            default: throw BuildError(operation, because: "\(name) is not a regular file")
            }
        }
        return result.sorted()
    }

    /// Makes a file read-only, digests it and flushes it to the medium.
    private func freeze(_ name: String, in folder: String, _ flag: CancellationFlag) throws -> Manifest.File {
        let path = folder + "/" + name
        let operation = "keep \(path)"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw systemFailure(operation) }
        defer { close(descriptor) }
        // A system-wide libvirt changes the owner of disks; then only our leases protect them from writers.
        guard fchmod(descriptor, 0o400) == 0 || errno == EPERM else { throw systemFailure(operation) }
        let before = try statusOf(descriptor, operation).stamp
        // Read first: the content is in the page cache while the kernel begins to write it.
        let digest = try sha256(of: descriptor, flag, operation)
        guard fsync(descriptor) == 0 else { throw systemFailure(operation, in: folder) }
        let after = try statusOf(descriptor, operation).stamp
        guard before.size == after.size, before.modification == after.modification else {
            throw BuildError(operation, because: "it is still being written to")
        }
        return Manifest.File(name: name, size: after.size, modification: after.modification, sha256: digest)
    }

    /// Writes the manifest, by which the folder becomes a checkpoint.
    ///
    /// - Returns: A lease for the user of the checkpoint.
    private func publish(
        _ manifest: inout Manifest, in folder: StageFolder, _ flag: CancellationFlag
    ) throws -> [FileLock] {
        try writeWhole(Data(), to: folder.path + "/used", beside: folder.path + "/used.partial", in: folder.path)
        touch(folder.path)
        try synchronize(folder.path + "/parent")
        try synchronize(path)
        return try withLock(flag) {
            let leases = try lease([folder.id])
            let older = StoredFolders(path).manifests.newest(manifest.key, parent: manifest.parent)
            manifest.generation = (older?.generation ?? 0) &+ 1
            let target = folder.path + "/" + Manifest.fileName
            do {
                try writeWhole(manifest.encoded(), to: target, beside: target + ".partial", in: folder.path)
            } catch {
                // It may have its name already, but may not survive a power cut.
                unlink(target)
                throw error
            }
            return leases
        }
    }

    /// Records that a checkpoint is used now.
    func touch(_ folder: String) {
        let seconds = now().timeIntervalSince1970
        guard let whole = time_t(exactly: seconds.rounded(.down)) else { return }
        let rest = Int((seconds - seconds.rounded(.down)) * 1e9)
        let time = timespec(tv_sec: whole, tv_nsec: rest)
        // Only the order of removal depends on this.
        utimensat(AT_FDCWD, folder + "/used", [time, time], 0)
    }
}
