import Files
import Foundation
import Scopes

/// The stages of a chain that need not run again.
package struct Resolution: Sendable {
    /// A stage without a checkpoint.
    package struct Miss: Sendable, Equatable {
        /// The index of the stage without a checkpoint: `next`, or a later one if those before it never have one.
        package var stage: Int
        /// The reason for the user, which follows the stage's title: "scripts/app.sh changed".
        package var reason: String

        package init(stage: Int, reason: String) {
            self.stage = stage
            self.reason = reason
        }
    }

    /// The deepest valid checkpoint, with leases.
    package var checkpoint: Checkpoint?
    /// The index of the first stage to run; the number of stages if all are reused.
    package var next: Int
    /// Why a stage runs; nil if all are reused.
    package var miss: Miss?
}

extension CheckpointStore {
    /// Finds the deepest valid checkpoint of a chain, leases it and its ancestors, and gives the reason why the next stage
    /// has none.
    ///
    /// - Parameters:
    ///   - maxAge: The highest age of a checkpoint in the chain.
    ///   - freshFrom: The index of the first stage to run in any case.
    ///   - outputs: Whether a file that a stage wrote on the host is unchanged.
    package func resolve(
        _ stages: [Stage], owner: StageOwner, maxAge: Duration? = nil, freshFrom: Int? = nil,
        outputs: (Manifest.Output) -> Bool = { _ in true }
    ) async throws -> Resolution {
        let found = try await onOwnThread("resolve") { [self] flag in
            try withLock(flag) {
                let manifests = StoredFolders(path).manifests
                var search = ChainSearch(
                    store: path, now: now(), stages: stages, owner: owner, maxAge: maxAge, freshFrom: freshFrom,
                    manifests: manifests)
                search.run()
                return (search: search, leases: try lease(search.chain.map(\.id)))
            }
        }
        // The closure may read files, so this is done without the lock.
        var search = found.search
        search.cut { outputs($0) }
        let kept = search.chain.count
        for lease in found.leases.dropFirst(kept) { lease.release() }
        for manifest in search.chain { touch("\(path)/\(manifest.id)") }
        let checkpoint = Checkpoint(chain: search.chain, leases: Array(found.leases.prefix(kept)), store: path)
        return Resolution(checkpoint: checkpoint, next: search.next, miss: search.miss)
    }
}

/// A search along a chain of stages.
struct ChainSearch: Sendable {
    let store: String
    let now: Date
    let stages: [Stage]
    let owner: StageOwner
    let maxAge: Duration?
    let freshFrom: Int?
    let manifests: [Manifest]

    /// The checkpoints found, with the indices of their stages.
    private(set) var found: [(stage: Int, manifest: Manifest)] = []
    private var stop: Resolution.Miss?

    init(
        store: String, now: Date, stages: [Stage], owner: StageOwner, maxAge: Duration?, freshFrom: Int?,
        manifests: [Manifest]
    ) {
        self.store = store
        self.now = now
        self.stages = stages
        self.owner = owner
        self.maxAge = maxAge
        self.freshFrom = freshFrom
        self.manifests = manifests
    }

    var chain: [Manifest] { found.map(\.manifest) }
    var next: Int { found.last.map { $0.stage + 1 } ?? 0 }

    mutating func run() {
        for (index, key) in stageKeys(stages).enumerated() {
            if let freshFrom, index >= freshFrom {
                stop = Resolution.Miss(stage: index, reason: "--fresh-from")
                return
            }
            guard let key else {
                stop = Resolution.Miss(stage: index, reason: stages[index].unusable ?? "it cannot be reused")
                return
            }
            // A stage may have no checkpoint of its own; the parent of the next one is an earlier one then.
            guard let newest = manifests.newest(key, parent: found.last?.manifest.id) else { continue }
            if let reason = obstacle(to: newest) {
                stop = Resolution.Miss(stage: index, reason: reason)
                return
            }
            found.append((index, newest))
        }
    }

    /// Why a checkpoint cannot be used, without regard to its ancestors and outputs.
    private func obstacle(to manifest: Manifest) -> String? {
        if manifest.store != store { return "its checkpoint was made in \(manifest.store): the cache was moved" }
        if let maxAge {
            let age = Duration.seconds(now.timeIntervalSince(manifest.created))
            if age > maxAge { return "its checkpoint is \(age.text) old (--max-age \(limitText(maxAge)))" }
        }
        do { try manifest.check(in: store + "/" + manifest.id) } catch {
            return "its checkpoint is damaged: \((error as? DamagedCheckpoint)?.reason ?? "\(error)")"
        }
        return nil
    }

    /// Ends the chain before the first checkpoint with an output that has changed.
    mutating func cut(_ holds: (Manifest.Output) -> Bool) {
        for (place, (stage, manifest)) in found.enumerated() {
            guard let output = manifest.outputs.first(where: { !holds($0) }) else { continue }
            let isThere = FileManager.default.fileExists(atPath: output.path)
            let what = isThere ? "was changed" : "is missing"
            stop = Resolution.Miss(stage: stage, reason: "\(output.path), which it downloaded, \(what)")
            found.removeSubrange(place...)
            return
        }
    }

    var miss: Resolution.Miss? {
        guard next < stages.count else { return nil }
        if let stop {
            // The reason is the obstacle and not a stage before it without a checkpoint, unless a checkpoint of that is missing.
            let isOfCheckpoint = stages[stop.stage].unusable == nil && stop.reason != "--fresh-from"
            if isOfCheckpoint || stages[next..<stop.stage].allSatisfy({ !$0.isKept }) { return stop }
        }
        guard let kept = stages[next...].firstIndex(where: \.isKept) else {
            return Resolution.Miss(stage: next, reason: "it changes nothing in the machine, so it has no checkpoint")
        }
        return Resolution.Miss(stage: kept, reason: reasonForNone(kept))
    }
}
