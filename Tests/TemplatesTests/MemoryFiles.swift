import Diagnostics
import FoundationEssentials
import Scopes
import Templates
import Testing

@testable import ComponentModel

/// Files that exist only in a test, by absolute path.
struct MemoryFiles: TemplateFileSystem {
    struct Missing: Error {}
    var files: [String: String] = [:]
    /// What is looked up on this machine.
    var isReal: @Sendable (String) -> Bool = { _ in false }

    func kind(of path: String) -> TemplateFileKind? {
        if isReal(path) { return RealFileSystem().kind(of: path) }
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        if files[path] != nil { return .file }
        return files.keys.contains { $0.hasPrefix(path + "/") } ? .directory : nil
    }

    func checkReadable(_ path: String) throws {
        if isReal(path) { try RealFileSystem().checkReadable(path) } else { _ = try read(path, limit: 0) }
    }

    func read(_ path: String, limit: Int) throws -> [UInt8]? {
        guard let text = files[path] else { throw Missing() }
        return text.utf8.count > limit ? nil : Array(text.utf8)
    }

    func names(in directory: String) throws -> [String] {
        Set(
            files.keys.compactMap { path in
                path.hasPrefix(directory + "/")
                    ? path.dropFirst(directory.count + 1).split(separator: "/").first.map(String.init) : nil
            }
        ).sorted()
    }
}

/// A template in `/work/t.pkr.hcl`, loaded.
struct Loaded {
    var plan: Plan
    var diagnostics: [Diagnostic]
    var files: [SourceFile]

    init(_ options: LoadOptions) { self.init(loadPlan(options)) }

    init(_ loaded: LoadedPlan) {
        plan = loaded.plan.value
        diagnostics = loaded.plan.diagnostics
        files = loaded.files
    }

    init(
        _ text: String, files: [String: String] = [:], path: String = "t.pkr.hcl",
        change: (inout LoadOptions) -> Void = { _ in }
    ) {
        var all = Dictionary(uniqueKeysWithValues: files.map { ("/work/" + $0.key, $0.value) })
        if !text.isEmpty { all["/work/t.pkr.hcl"] = text }
        var options = LoadOptions(
            path: path, workingDirectory: "/work", startTime: Date(timeIntervalSince1970: 1_709_211_845),
            fileSystem: MemoryFiles(files: all))
        change(&options)
        self.init(options)
    }

    var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
    var warnings: [Diagnostic] { diagnostics.filter { $0.severity == .warning } }

    /// `ID: the words pointed at`.
    var errorMarks: [String] { errors.map { "\($0.id.replacing("template/", with: "")): \(mark($0.subject))" } }

    func mark(_ range: SourceRange?) -> String {
        guard let range, let file = files.first(where: { $0.name == range.file }) else { return "-" }
        let bytes = Array(file.text.utf8)
        guard range.start <= range.end, range.end <= bytes.count else { return "out of range" }
        return String(decoding: bytes[range.start..<range.end], as: UTF8.self)
    }
}

/// A template whose only source has the given options beside the needed ones.
func qemuTemplate(_ options: String, build: String = "") -> String {
    """
    source "qemu" "vm" {
      iso_url = "a.iso"
      iso_checksum = "none"
      ssh_username = "root"
    \(options)
    }
    build {
      sources = ["source.qemu.vm"]
    \(build)
    }
    """
}
