import Foundation
import Proxmox
import Synchronization

/// A shell on a fake cluster's node that knows `hostname` and `qm importdisk`.
final class FakeShell: ProxmoxShell {
    enum Step: Sendable, Equatable { case upload, run, remove }
    struct Broken: Error, CustomStringConvertible {
        var description: String { "the connection was lost" }
    }

    let cluster: FakeCluster
    private let files = Mutex<[String: Data]>([:])
    let commands = Mutex<[String]>([])
    /// The step that breaks; `run` breaks with an exit code if there are words for it.
    private let broken: Step?
    private let words: String?

    private let name: String

    init(_ cluster: FakeCluster, named name: String = "pve", broken: Step? = nil, words: String? = nil) {
        self.cluster = cluster
        self.name = name
        self.broken = broken
        self.words = words
    }

    var left: [String] { files.withLock { $0.keys.sorted() } }

    func upload(_ localPath: String, to remotePath: String) async throws {
        let data = try Data(contentsOf: URL(filePath: localPath))
        files.withLock { $0[remotePath] = data }
        if broken == .upload { throw Broken() }
    }

    func run(_ command: String) async throws -> (exitCode: Int32, output: String) {
        if command == "hostname" { return (0, "Last login: today\n\(name)\n") }
        commands.withLock { $0.append(command) }
        if broken == .run {
            guard let words else { throw Broken() }
            return (1, words)
        }
        let parts = command.split(separator: " ").map { $0.trimmingCharacters(in: ["'"]) }
        guard parts.count >= 6, parts[1] == "qm", parts[2] == "importdisk", let vmid = Int(parts[3]),
            let data = files.withLock({ $0[parts[4]] })
        else { return (2, "400 not enough arguments") }
        let storage = parts[5]
        cluster.state.withLock { state in
            let volume = "\(storage):" + state.freeVolume(on: storage, vmid)
            state.storages[storage]?.volumes[volume] = .init(content: "images", data: data, owner: vmid)
            let number = (0..<9).first { state.machines[vmid]?.config["unused\($0)"] == nil } ?? 9
            state.machines[vmid]?.config["unused\(number)"] = volume
        }
        return (0, "unused0: successfully imported disk")
    }

    func remove(_ remotePath: String) async throws {
        if broken == .remove { throw Broken() }
        files.withLock { $0[remotePath] = nil }
    }
}
