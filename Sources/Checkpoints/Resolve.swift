import Files
import Foundation
import Scopes

/// What of a chain of stages need not be run again.
package struct Resolution: Sendable {
    package struct Miss: Sendable, Equatable {
        /// The stage that this is about: `next`, or a later one if those before it have no checkpoint by choice.
        package var stage: Int
        /// In the user's words, to follow the stage's title: "scripts/app.sh changed".
        package var reason: String

        package init(stage: Int, reason: String) {
            self.stage = stage
            self.reason = reason
        }
    }

    /// The deepest one that can be used, with leases.
    package var checkpoint: Checkpoint?
    /// The first stage to run; the number of stages where all are reused.
    package var next: Int
    /// nil where all are reused.
    package var miss: Miss?
}

extension CheckpointStore {
    /// Finds the deepest whole, current checkpoint of a chain, leases it and its ancestors, and tells why the next stage
    /// has none.
    ///
    /// - Parameters:
    ///   - maxAge: None in the chain may be older.
    ///   - freshFrom: The first stage that is to be run in any case, from 0.
    ///   - outputs: Whether a file that a stage wrote on the host is still as it was.
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
        // The closure may read files, so it runs without the lock.
        var search = found.search
        search.cut { outputs($0) }
        let kept = search.chain.count
        for lease in found.leases.dropFirst(kept) { lease.release() }
        for manifest in search.chain { touch("\(path)/\(manifest.id)") }
        let checkpoint = Checkpoint(chain: search.chain, leases: Array(found.leases.prefix(kept)), store: path)
        return Resolution(checkpoint: checkpoint, next: search.next, miss: search.miss)
    }
}

/// A walk along a chain of stages.
struct ChainSearch: Sendable {
    let store: String
    let now: Date
    let stages: [Stage]
    let owner: StageOwner
    let maxAge: Duration?
    let freshFrom: Int?
    let manifests: [Manifest]

    /// The checkpoints found, with the stages they are of.
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
                stop = Resolution.Miss(stage: index, reason: stages[index].unusable ?? "it can't be reused")
                return
            }
            // A stage may have no checkpoint of its own; the next one's stands on an earlier one's then.
            guard let newest = manifests.newest(key, parent: found.last?.manifest.id) else { continue }
            if let reason = obstacle(to: newest) {
                stop = Resolution.Miss(stage: index, reason: reason)
                return
            }
            found.append((index, newest))
        }
    }

    /// Why a checkpoint can't be used, its ancestors and its outputs apart.
    private func obstacle(to manifest: Manifest) -> String? {
        if manifest.store != store { return "its checkpoint is of \(manifest.store): the cache was moved" }
        if let maxAge {
            let age = Duration.seconds(now.timeIntervalSince(manifest.created))
            if age > maxAge { return "its checkpoint is \(age.text) old (--max-age \(limitText(maxAge)))" }
        }
        do { try manifest.check(in: store + "/" + manifest.id) } catch {
            return "its checkpoint is damaged: \((error as? DamagedCheckpoint)?.reason ?? "\(error)")"
        }
        return nil
    }

    /// Ends the chain before the first checkpoint that has an output which does not hold any more.
    mutating func cut(_ holds: (Manifest.Output) -> Bool) {
        for (place, (stage, manifest)) in found.enumerated() {
            guard let output = manifest.outputs.first(where: { !holds($0) }) else { continue }
            let isThere = FileManager.default.fileExists(atPath: output.path)
            let what = isThere ? "is not as it was" : "is not there any more"
            stop = Resolution.Miss(stage: stage, reason: "\(output.path), which it downloads, \(what)")
            found.removeSubrange(place...)
            return
        }
    }

    var miss: Resolution.Miss? {
        guard next < stages.count else { return nil }
        if let stop {
            // Stages before it that have no checkpoint are not why: the stop is, unless it is not about one.
            let isOfCheckpoint = stages[stop.stage].unusable == nil && stop.reason != "--fresh-from"
            if isOfCheckpoint || stages[next..<stop.stage].allSatisfy({ !$0.isKept }) { return stop }
        }
        guard let kept = stages[next...].firstIndex(where: \.isKept) else {
            return Resolution.Miss(stage: next, reason: "none is kept of it, since it changes nothing in the machine")
        }
        return Resolution.Miss(stage: kept, reason: reasonForNone(kept))
    }
}
