import Checkpoints
import Foundation
import Synchronization
import Testing

/// A store in a folder of its own, with a clock that the test sets.
final class StoreBench: Sendable {
    let path: String
    let store: CheckpointStore
    private let time: Clock
    let owner = StageOwner(template: "app.pkr.hcl", build: "qemu.app")

    final class Clock: Sendable {
        let now = Mutex(Date(timeIntervalSince1970: 1_800_000_000))
    }

    init() throws {
        path = NSTemporaryDirectory() + "checkpoints-" + UUID().uuidString.prefix(8).lowercased()
        let clock = Clock()
        time = clock
        store = try CheckpointStore(path: path, now: { clock.now.withLock { $0 } })
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Lets time pass.
    func pass(_ seconds: Double) { time.now.withLock { $0 += seconds } }

    /// A stage of one input.
    func stage(_ title: String, _ value: String = "", unusable: String? = nil) -> Stage {
        Stage(title: title, inputs: [store.input(title, value)], unusable: unusable)
    }

    func stages(_ values: String...) -> [Stage] {
        values.enumerated().map { stage("stage \($0)", $1) }
    }

    func resolve(
        _ stages: [Stage], owner: StageOwner? = nil, maxAge: Duration? = nil, freshFrom: Int? = nil,
        outputs: (Manifest.Output) -> Bool = { _ in true }
    ) async throws -> Resolution {
        let found = try await store.resolve(
            stages, owner: owner ?? self.owner, maxAge: maxAge, freshFrom: freshFrom, outputs: outputs)
        found.checkpoint?.release()
        return found
    }

    /// Runs one stage as a build would, and gives up its leases.
    @discardableResult
    func commit(
        _ stages: [Stage], _ index: Int, on parent: String?, memory: Data? = nil, disk: Data? = nil,
        owner: StageOwner? = nil, outputs: [Manifest.Output] = []
    ) async throws -> Checkpoint {
        let folder = try store.makeFolder(parent: parent)
        let content = disk ?? Data("disk of \(stages[index].title) \(folder.id)".utf8)
        try content.write(to: URL(filePath: folder.path + "/disk-0"))
        try memory?.write(to: URL(filePath: folder.path + "/memory"))
        let key = try #require(stageKeys(stages)[index])
        let draft = ManifestDraft(
            key: key, stage: stages[index], index: index, owner: owner ?? self.owner, took: .milliseconds(1500),
            memory: memory == nil ? nil : ["qemu": "7.2.1"], outputs: outputs, details: ["a": "b"])
        let checkpoint = try await store.commit(folder, draft)
        folder.abandon()
        checkpoint.release()
        return checkpoint
    }

    /// Runs all stages but those that are to have no checkpoint.
    @discardableResult
    func build(_ stages: [Stage], without gaps: Set<Int> = []) async throws -> [Checkpoint] {
        var made: [Checkpoint] = []
        for index in stages.indices where !gaps.contains(index) {
            made.append(try await commit(stages, index, on: made.last?.id))
            pass(1)
        }
        return made
    }

    /// Overwrites a byte without a trace in the file's times.
    func flip(_ path: String, at offset: Int) throws {
        let url = URL(filePath: path)
        let before = try FileManager.default.attributesOfItem(atPath: path)
        var status = stat()
        try #require(stat(path, &status) == 0)
        var data = try Data(contentsOf: url)
        data[offset] ^= 0x20
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try data.write(to: url)
        try FileManager.default.setAttributes(
            [.posixPermissions: before[.posixPermissions] as Any], ofItemAtPath: path)
        utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0)
    }

    /// The folders that are in the store.
    var folders: Set<String> {
        Set(
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
                .filter { $0.count == 13 || $0.hasPrefix(".") })
    }
}

/// A program that uses the store as builds do; beside the test bundle. It ends with the value.
final class Exerciser {
    private let process = Process()
    private let output = Pipe()

    static let program: String? = {
        let beside = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let folders = [beside, package + "/.build/debug"]
        return folders.map { $0 + "/store-exerciser" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    init(_ store: String, rounds: Int, fileLimit: Int? = nil) throws {
        process.executableURL = URL(filePath: try #require(Self.program, "build the target store-exerciser"))
        process.arguments = [store, "\(rounds)"] + (fileLimit.map { ["\($0)"] } ?? [])
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    /// A test that fails early leaves none behind.
    deinit { if process.isRunning { kill() } }

    func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

    /// Waits for the end, for at most a minute.
    func finish() async throws -> (status: Int32, output: String) {
        for _ in 0..<12000 where process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        if process.isRunning {
            kill()
            Issue.record("the exerciser hangs")
            while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        }
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}
