import Foundation
import Testing

/// One edit of a built template or of what it is made of, and what a build has to run after it.
struct StageChange: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// The first stage to run: 0 is the install; nil: none.
    var first: Int?
    /// In the reason.
    var reason = ""
    var edits: [(old: String, new: String)] = []
    /// New content by path; nil removes the file.
    var files: [String: String?] = [:]
    /// Modes by path.
    var modes: [String: Int] = [:]
    var arguments: [String] = []
    var environment: [String: String] = [:]

    /// An input in the template.
    static func input(
        _ what: String, _ first: Int, _ reason: String, _ old: String, _ new: String
    ) -> StageChange {
        StageChange(testDescription: what, first: first, reason: reason, edits: [(old, new)])
    }

    /// An input that is written at one of the places for further options or blocks.
    static func added(
        _ what: String, _ first: Int, _ reason: String, _ new: String, at place: String = "# options"
    ) -> StageChange {
        input(what, first, reason, place, new)
    }

    static func file(_ path: String, _ first: Int, _ reason: String, _ content: String?) -> StageChange {
        let what = content == nil ? "\(path) is removed" : "\(path) gets other content"
        return StageChange(testDescription: what, first: first, reason: reason, files: [path: content])
    }

    /// Something in the template that is no input.
    static func same(_ what: String, _ old: String, _ new: String) -> StageChange {
        StageChange(testDescription: what, edits: [(old, new)])
    }

    static func sameAdded(_ what: String, _ new: String, at place: String = "# options") -> StageChange {
        same(what, place, new)
    }
}

/// What `checkpoints status` says of one build.
struct StageReport {
    var output: String
    /// Title and, where it is run, the rest of the line.
    private(set) var stages: [(title: String, run: String?)] = []

    init(_ output: String) {
        self.output = output
        for line in output.split(separator: "\n") where line.hasPrefix("  ") {
            if let range = line.range(of: ": runs") {
                stages.append((String(line[..<range.lowerBound]), String(line[range.upperBound...])))
            } else if let range = line.range(of: ": from the checkpoint ") {
                stages.append((String(line[..<range.lowerBound]), nil))
            }
        }
    }

    /// The first stage that is run; nil: none.
    var first: Int? { stages.firstIndex { $0.run != nil } }
    /// Why: of a stage that is never kept, it is told with a later one.
    var reason: String { stages.compactMap(\.run).first { !$0.isEmpty } ?? "" }
    /// What comes after a stage that is run is run as well.
    var isChain: Bool { first.map { stages[$0...].allSatisfy { $0.run != nil } } ?? true }
}

/// A template that was built once, whose inputs are changed one by one.
actor StageBench {
    static let built = Task { try await StageBench() }
    private static let folder = NSTemporaryDirectory() + "ingot-stages-\(ProcessInfo.processInfo.processIdentifier)"

    private let bench: Workbench
    let build: IngotRun
    private var path: String { bench.path }

    private init() async throws {
        bench = try Workbench(Self.folder)
        // It lives as long as the tests, which nothing else tells.
        atexit { try? FileManager.default.removeItem(atPath: StageBench.folder) }
        try FileManager.default.copyItem(atPath: try Guest.iso.get(), toPath: bench.path + "/medium.iso")
        for (name, content) in Self.files { try bench.write(content, to: name) }
        try bench.write(Self.template, to: Self.name)
        build = try await RunningIngot(["build", Self.name], in: bench.path, environment: ["CI": ""]).finish()
    }

    /// Makes a change, looks, and undoes it.
    ///
    /// - Parameter template: nil where the arguments of the change name one.
    func report(on change: StageChange, template: String? = name) async throws -> StageReport {
        var text = Self.template
        for (old, new) in change.edits {
            try #require(text.components(separatedBy: old).count == 2, "“\(old)” is not once in the template")
            text = text.replacing(old, with: new)
        }
        if !change.edits.isEmpty { try bench.write(text, to: Self.name) }
        for (name, content) in change.files {
            if let content { try bench.write(content, to: name) } else { try remove(name) }
        }
        for (name, mode) in change.modes { chmod(path + "/" + name, mode_t(mode)) }
        let result = try await status(change.arguments + [template].compactMap(\.self), change.environment)
        try bench.write(Self.template, to: Self.name)
        try remove("other")
        for name in Set(change.files.keys).union(change.modes.keys) {
            if change.files[name] == nil { chmod(path + "/" + name, 0o755) }
            if let content = Self.files[name] {
                try bench.write(content, to: name)
            } else if change.modes[name] == nil {
                try remove(name)
            }
        }
        return result
    }

    func status(
        _ arguments: [String], _ environment: [String: String] = [:], in folder: String? = nil
    ) async throws -> StageReport {
        let variables = ["CI": "", "INGOT_CHECKPOINTS": store].merging(environment) { $1 }
        let run = try await RunningIngot(
            ["checkpoints", "status"] + arguments, in: folder ?? path, environment: variables
        ).finish()
        return StageReport(run.output)
    }

    private var store: String { path + "/cache/ingot/checkpoints" }

    /// Builds a variant of the template.
    func build(_ arguments: [String], edit: (old: String, new: String)) async throws -> IngotRun {
        try bench.write(Self.template.replacing(edit.old, with: edit.new), to: "variant.pkr.hcl")
        return try await RunningIngot(
            ["build", "-force"] + arguments + ["variant.pkr.hcl"], in: path, environment: ["CI": ""]
        ).finish()
    }

    /// Changes the medium by its last byte, looks, and undoes it.
    func reportOnOtherMedium() async throws -> StageReport {
        let file = try #require(FileHandle(forUpdatingAtPath: path + "/medium.iso"))
        let end = try file.seekToEnd()
        try file.write(contentsOf: Data([1]))
        try file.synchronize()
        let report = try await status([Self.name])
        try file.truncate(atOffset: end)
        try file.close()
        return report
    }

    /// Touches all that the build is made of, and looks.
    func reportOnNewTimes() async throws -> StageReport {
        for name in Self.files.keys.sorted() + ["medium.iso", Self.name] { utimes(path + "/" + name, nil) }
        return try await status([Self.name])
    }

    /// Copies all but what builds made to a folder elsewhere, gives the template another name, and looks.
    func reportOnMoved() async throws -> StageReport {
        let other = try Workbench()
        for name in Set(Self.files.keys.compactMap { $0.split(separator: "/").first.map(String.init) } + ["medium.iso"])
        {
            try FileManager.default.copyItem(atPath: path + "/" + name, toPath: other.path + "/" + name)
        }
        try other.write(Self.template, to: "another.pkr.hcl")
        return try await status(["another.pkr.hcl"], in: other.path)
    }

    /// All text that the store has beside the machines themselves: names, manifests, digests.
    func storedText() throws -> String {
        let names = try FileManager.default.subpathsOfDirectory(atPath: store)
        let texts = names.filter { $0.hasSuffix(".json") || $0.hasSuffix("parent") || $0.hasPrefix("stages/") }
            .compactMap { FileManager.default.contents(atPath: store + "/" + $0) }
        return (names + texts.map { String(decoding: $0, as: UTF8.self) }).joined(separator: "\n")
    }

    private func remove(_ name: String) throws {
        guard bench.exists(name) else { return }
        try FileManager.default.removeItem(atPath: path + "/" + name)
    }
}
