import Diagnostics
import Foundation
import Templates
import Testing

@testable import ComponentModel

/// One mistake: a template in `Mistakes`, what is beside it, and what `validate` is to print about it.
private struct Mistake: CustomTestStringConvertible, Sendable {
    /// `syntax-unclosed-brace.pkr.hcl`, or `.json` for a legacy template.
    var template: String

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Mistakes")

    /// Sorted by name. Variable files are parts of other mistakes.
    static let all: [Mistake] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []  // the count is tested
        return names.filter { $0.hasSuffix(".pkr.hcl") || $0.hasSuffix(".json") }.sorted().map(Mistake.init)
    }()

    var testDescription: String { name }
    var name: String { template.replacing(".pkr.hcl", with: "").replacing(".json", with: "") }

    /// nil if there is no such file.
    func text(_ suffix: String) -> String? {
        // Most mistakes have neither arguments nor variables beside them.
        try? String(contentsOf: Self.folder.appending(path: name + suffix), encoding: .utf8)
    }

    /// What `validate` prints without colours. `NAME.args` holds a flag a line, `NAME.pkrvars.hcl` is given by -var-file.
    func rendered() throws -> String {
        var files = MistakeFiles.around
        files[template] = try String(contentsOf: Self.folder.appending(path: template), encoding: .utf8)
        var options = LoadOptions(
            path: template, environment: ["HOME": "/home/user"], workingDirectory: "/work", isValidation: true,
            warnsOnUndeclared: true)
        if let values = text(".pkrvars.hcl") {
            files[name + ".pkrvars.hcl"] = values
            options.variableFiles.append(name + ".pkrvars.hcl")
        }
        for line in (text(".args") ?? "").split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            switch (words[0], words.last ?? "") {
            case ("-var", let setting):
                let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
                options.variables.append((name: parts[0], value: parts.last ?? ""))
            case ("-var-file", let path): options.variableFiles.append(path)
            case ("-path", let path): options.path = path
            case ("-only", let pattern): options.only.append(pattern)
            case ("build", _): options.isValidation = false
            default: Issue.record("\(name).args has an unknown flag: \(line)")
            }
        }
        let pairs = files.map { ("/work/" + $0.key, $0.value) }
        options.fileSystem = MistakeFiles(files: MemoryFiles(files: Dictionary(uniqueKeysWithValues: pairs)))
        let loaded = loadPlan(options)
        let renderer = DiagnosticRenderer(files: loaded.files)
        return loaded.plan.diagnostics.map(renderer.render).joined(separator: "\n")
    }
}

/// The files around every template, one of which cannot be read.
private struct MistakeFiles: TemplateFileSystem {
    static let around = [
        "debian-13.iso": "", "a.iso": "",
        "notes.txt": "buy milk\n", "build.hcl": "build {\n}\n", "old/packer.json": "{}",
        "output-taken/disk.qcow2": "", "output-vms/x": "",
        "scripts/setup.sh": "true\n", "scripts/locked.sh": "true\n", "id_ed25519.pub": "ssh-ed25519 AAAA user@host\n",
        "key.ppk": "PuTTY-User-Key-File-3: ssh-ed25519\n", "values.json": "{ \"memory\": true, }\n",
    ]

    var files: MemoryFiles

    func kind(of path: String) -> TemplateFileKind? { files.kind(of: path) }

    func names(in directory: String) throws -> [String] { try files.names(in: directory) }

    func read(_ path: String, limit: Int) throws -> [UInt8]? {
        if path.hasSuffix("/locked.sh") { throw FileReadingError("this user may not read it") }
        guard files.files[path] != nil else { throw FileReadingError("there is no such file") }
        return try files.read(path, limit: limit)
    }
}

@Suite("What is said about mistakes")
struct MistakeTests {
    /// With INGOT_RECORD=1 the files are written, to be read and committed.
    @Test("every mistake is explained as it was agreed", arguments: Mistake.all)
    private func explanation(of mistake: Mistake) throws {
        let rendered = try mistake.rendered()
        let place = Mistake.folder.appending(path: mistake.name + ".txt")
        if ProcessInfo.processInfo.environment["INGOT_RECORD"] == "1" {
            try rendered.write(to: place, atomically: true, encoding: .utf8)
        }
        #expect(rendered == mistake.text(".txt"))
    }

    @Test("there are at least sixty kinds of mistakes, and none passes unnoticed")
    func count() throws {
        #expect(Mistake.all.count >= 60)
        for mistake in Mistake.all where try mistake.rendered().isEmpty {
            Issue.record("nothing is said about \(mistake.name)")
        }
    }

    @Test("no message quotes a secret")
    func secrets() throws {
        for mistake in Mistake.all where mistake.name.contains("sensitive") {
            #expect(try !mistake.rendered().contains("hunter2"))
        }
    }
}
