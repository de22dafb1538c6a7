import Checkpoints
import Foundation

// What a build does with the store, in a loop until it is killed: `store-exerciser STORE ROUNDS [FILE-LIMIT]`.
// Every file's content follows from its stage's key, so that a test knows what it should find.

let store = try CheckpointStore(path: CommandLine.arguments[1])
let rounds = Int(CommandLine.arguments[2]) ?? 0
let fileLimit = CommandLine.arguments.count > 3 ? UInt(CommandLine.arguments[3]) : nil
do {
    for _ in 0..<rounds { try await oneRound() }
} catch {
    print(error)
    exit(1)
}

func oneRound() async throws {
    let variant = Int.random(in: 0..<3)
    let stages = (0..<3).map { place in
        Stage(title: "stage \(place)", inputs: [store.input("variant", place == 0 ? "0" : "\(variant)")])
    }
    let keys = stageKeys(stages)
    let owner = StageOwner(template: "t.pkr.hcl", build: "variant \(variant)")
    let fresh = Int.random(in: 0..<4) == 0 ? Int.random(in: 0..<3) : nil
    let found = try await store.resolve(stages, owner: owner, freshFrom: fresh)
    var leased = [found.checkpoint].compactMap(\.self)
    defer { for checkpoint in leased { checkpoint.release() } }
    for place in found.next..<stages.count {
        guard let key = keys[place] else { exit(3) }
        let folder = try store.makeFolder(parent: leased.last?.id)
        defer { folder.abandon() }
        try content(key, "disk-0").write(to: URL(filePath: folder.path + "/disk-0"))
        try content(key, "memory").write(to: URL(filePath: folder.path + "/memory"))
        let draft = ManifestDraft(
            key: key, stage: stages[place], index: place, owner: owner, took: .seconds(1), memory: ["qemu": "7.2.1"])
        if let fileLimit { limitFiles(to: fileLimit) }
        leased.append(try await store.commit(folder, draft))
    }
    _ = try store.prune(limit: 200_000, olderThan: nil)
}

/// 15 kB that can be told from those of any other stage and file.
func content(_ key: StageKey, _ name: String) -> Data {
    let line = Data("\(key) \(name)\n".utf8)
    return Data((0..<200).flatMap { _ in line })
}

/// A write beyond it fails with EFBIG, as one to a full disk does with ENOSPC.
func limitFiles(to size: UInt) {
    signal(SIGXFSZ, SIG_IGN)
    var limits = rlimit(rlim_cur: rlim_t(size), rlim_max: rlim_t(size))
    guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits) == 0 else { exit(2) }
}
