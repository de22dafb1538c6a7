import Checkpoints
import Foundation
import Media
import Scopes
import Templates

/// Collects what a stage is made of, as labels that people know and keyed digests.
struct StageInputs {
    /// nil: nothing is digested, and the files are only noted.
    let store: CheckpointStore?
    let context: RunContext
    /// Takes every file and folder that is looked at.
    let files: NamedFiles?
    private(set) var all: [StageInput] = []
    /// More files than anyone means to give to a machine.
    private static let mostFiles = 50_000

    init(store: CheckpointStore?, context: RunContext, files: NamedFiles? = nil) {
        self.store = store
        self.context = context
        self.files = files
    }

    /// A value; one that is not written is left out, so that a new option changes no key of templates that don't use it.
    mutating func add(_ label: String, _ value: (some Any)?) {
        guard let value else { return }
        add(label, text: "\(value)")
    }

    /// The label is part of what is digested: the same text means something else elsewhere.
    mutating func add(_ label: String, text: String) {
        if let store { all.append(store.input(label, text)) }
    }

    /// What a file is called, where that matters, wherever it lies on this host.
    ///
    /// - Parameter option: What the file is given for: the same file means something else in another option.
    mutating func add(name: String, in option: String, as label: String) {
        if let store { all.append(StageInput(label: label, digest: store.digest(Data("\(option)\0\(name)".utf8)))) }
    }

    /// The content of a file, whose name does not matter.
    mutating func add(file path: String, as label: String) async throws {
        files?.note(context.absolute(path))
        if let store { all.append(try await store.input(label, file: context.absolute(path))) }
    }

    /// A file or a folder with the names, modes and contents of all that is in it; links are followed.
    ///
    /// - Parameter isLeftOut: Whether a file of the folder, given by its absolute path, does not count.
    mutating func add(
        tree path: String, as label: String, leavingOut isLeftOut: (String) -> Bool = { _ in false }
    ) async throws {
        let root = context.absolute(path)
        files?.note(root)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root, isDirectory: &isFolder) else {
            throw BuildError(
                "read \(path)", because: "there is no such file", hint: "Paths start at the working directory.")
        }
        guard isFolder.boolValue else { return try await add(root, named: "", label) }
        add(folder: "", mode(of: root), label)
        var count = 0
        var pending = [""]
        while let folder = pending.popLast() {
            for name in try names(in: root + "/" + folder) {
                let inside = folder.isEmpty ? name : folder + "/" + name
                if isLeftOut(root + "/" + inside) { continue }
                count += 1
                guard count <= Self.mostFiles, folder.utf8.count < 4000 else {
                    throw BuildError(
                        "read the folder \(path)", because: "it holds more than \(Self.mostFiles) files",
                        hint: "Name a smaller folder, or build with --no-checkpoints.")
                }
                var isFolder: ObjCBool = false
                // Uploading reports a link that leads nowhere.
                guard FileManager.default.fileExists(atPath: root + "/" + inside, isDirectory: &isFolder) else {
                    continue
                }
                if isFolder.boolValue {
                    add(folder: inside, mode(of: root + "/" + inside), "\(label)/\(inside)/")
                    pending.append(inside)
                } else {
                    try await add(root + "/" + inside, named: inside, "\(label)/\(inside)")
                }
            }
        }
    }

    private mutating func add(folder name: String, _ mode: String, _ label: String) {
        if let store { all.append(StageInput(label: label, digest: store.digest(Data("\(name)/\0\(mode)".utf8)))) }
    }

    private mutating func add(_ path: String, named name: String, _ label: String) async throws {
        files?.note(path)
        guard let store else { return }
        let content = try await store.digest(file: path)
        let whole = "\(name)\0\(mode(of: path))\0\(content)"
        all.append(StageInput(label: label, digest: store.digest(Data(whole.utf8))))
    }

    private func names(in folder: String) throws -> [String] {
        files?.note(folder)
        return try attemptingNow("read the folder \(folder)") {
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        }
    }

    private func mode(of path: String) -> String {
        // A file whose mode cannot be read cannot be read either, which is an error elsewhere.
        let file = URL(filePath: path).resolvingSymlinksInPath().path
        let mode = (try? FileManager.default.attributesOfItem(atPath: file))?[.posixPermissions] as? Int
        return mode.map { String($0, radix: 8) } ?? ""
    }
}
