import Foundation
import Testing

/// A template whose stages tell which of them ran in a machine's life, and a store of checkpoints.
final class CheckpointBench {
    let bench: Workbench
    let store: String
    /// In every script and machine name, so that no two tests have a stage in common but the installation.
    let id: String
    private let common: Bool

    /// One for all tests, so that the usual guest is installed once; removed when they are done.
    private static let commonStore: String = {
        atexit { try? FileManager.default.removeItem(atPath: commonPath) }
        return commonPath
    }()
    private static let commonPath =
        NSTemporaryDirectory() + "ingot-guest-\(ProcessInfo.processInfo.processIdentifier).checkpoints"

    /// - Parameter ownStore: The name of a folder; nil for the store of all tests.
    init(ownStore: String? = nil) throws {
        bench = try Workbench()
        common = ownStore == nil
        id = "t" + UUID().uuidString.prefix(8).lowercased()
        store = ownStore.map { [path = bench.path] in path + "/" + $0 } ?? Self.commonStore
    }

    var path: String { bench.path }

    /// The name of the machine and its image.
    var image: String { "output-guest/\(id)" }

    /// Writes `t.pkr.hcl`.
    ///
    /// - Parameters:
    ///   - source: As for the guest's template.
    ///   - build: The provisioners.
    func write(source: String = "", parameters: String = "", _ build: String...) throws {
        // All of this is part of the installation, which tests have in common as long as they leave it alone.
        try bench.write(
            Guest.template(
                parameters: "key={{ .SSHPublicKey | urlquery }} \(parameters)",
                source: """
                      vm_name = "\(id)"
                      http_content = { "/word" = "served" }
                      disk_additional_size = ["8M"]
                    \(source)
                    """, build: build.joined()), to: "t.pkr.hcl")
    }

    /// A provisioner that writes a word into a sector of a disk, and tells which have run in this machine's life, by its
    /// memory and by its first disk: `ran 12 12`.
    func stage(_ number: Int, _ word: String, on disk: String = "vda", then more: String = "true") -> String {
        shell(stageScript(number, word, on: disk, then: more))
    }

    func stageScript(_ number: Int, _ word: String, on disk: String = "vda", then more: String = "true") -> String {
        let steps = [
            ": \(id)", "put() { dd of=/dev/$1 bs=512 seek=$2 conv=sync,notrunc 2>/dev/null; }",
            "printf \(word) | put \(disk) \(number)", "printf \(number) >>/tmp/ran",
            "ran=$(dd if=/dev/vda bs=512 skip=40 count=1 2>/dev/null | tr -d '\\000')\(number)",
            "printf $ran | put vda 40", "sync", "echo ran $(cat /tmp/ran) $ran", more,
        ]
        return steps.joined(separator: "; ")
    }

    var environment: [String: String] { ["INGOT_CHECKPOINTS": store] }

    func ingot(_ arguments: String..., environment: [String: String] = [:]) async throws -> IngotRun {
        try await start(arguments, environment: environment).finish()
    }

    func start(
        _ arguments: [String], environment: [String: String] = [:], atTerminal: Bool = false
    ) throws -> RunningIngot {
        try RunningIngot(
            arguments, in: path, environment: self.environment.merging(environment) { $1 }, atTerminal: atTerminal)
    }

    /// Builds anew; that it succeeds is expected.
    @discardableResult
    func build(_ flags: String..., environment: [String: String] = [:]) async throws -> IngotRun {
        let run = try await start(
            ["build", "-color=false", "-force"] + flags + ["t.pkr.hcl"], environment: environment
        ).finish()
        #expect(run.status == 0, "\(run.output)")
        return run
    }

    /// The checkpoints of this test's template.
    func checkpoints() async throws -> [Listed] {
        let run = try await ingot("checkpoints", "list", "--json")
        #expect(run.status == 0, "\(run.output)")
        return run.output.split(separator: "\n").compactMap { line in
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let id = object["id"] as? String
            else { return nil }
            return Listed(
                id: id, stage: object["stage"] as? String ?? "", damage: object["damage"] as? String ?? "",
                template: object["template"] as? String ?? "")
        }.filter { !common || $0.template == path + "/t.pkr.hcl" }
    }

    struct Listed {
        var id: String
        var stage: String
        var damage: String
        var template: String
    }

    /// Machines that are left of this test's builds.
    var machines: [Int32] { EndToEndTests.machines(mentioning: id) }

    /// That no build has left anything behind, outside of the store and in it.
    func expectClean() async throws {
        // The kernel needs a moment to take a killed process away.
        for _ in 0..<100 where !machines.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
        #expect(machines.isEmpty)
        #expect(!bench.names.contains { $0.hasPrefix(".output") }, "\(bench.names)")
        guard !common else { return }
        let known = Set(try await checkpoints().map(\.id) + ["digests.json", "lock", "stages", "secret"])
        let names = try FileManager.default.contentsOfDirectory(atPath: store)
        #expect(names.filter { !known.contains($0) } == [])
    }
}

/// What is in a finished image.
struct ImageContent {
    private let content: Data
    /// qemu-img's own words.
    let information: String

    init(_ path: String) async throws {
        let info = try await command("qemu-img", ["info", path])
        #expect(info.status == 0, "\(info.output)")
        information = info.output
        let raw = path + ".content"
        defer { try? FileManager.default.removeItem(atPath: raw) }
        let conversion = try await command("qemu-img", ["convert", "-O", "raw", path, raw])
        #expect(conversion.status == 0, "\(conversion.output)")
        content = try #require(FileManager.default.contents(atPath: raw))
    }

    /// The text at the beginning of a sector.
    subscript(sector: Int) -> String {
        String(decoding: content.dropFirst(sector * 512).prefix(512).prefix { $0 != 0 }, as: UTF8.self)
    }

    var hasBackingFile: Bool { information.contains("backing file:") }
}
