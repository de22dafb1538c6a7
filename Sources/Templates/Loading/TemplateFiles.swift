import ComponentModel
import Diagnostics

/// The files that make up a template.
struct TemplateFiles {
    var files: [SourceFile] = []
    /// A legacy JSON template, which is always one file.
    var legacy: SourceFile?
    /// As `path.root` gives it.
    var root: String
    /// Variable files that are read without being named; only a directory has them.
    var automaticVariableFiles: [String] = []
    var diagnostics: [Diagnostic] = []

    static let largestFile = 16 << 20

    init(_ options: LoadOptions) {
        let path = options.path
        root = path
        if path == "-", let bytes = options.standardInput {
            root = "."
            readStandardInput(bytes, options)
            return
        }
        switch options.fileSystem.kind(of: options.absolute(path)) {
        case nil:
            diagnostics.append(
                Diagnostic(
                    id: "template/no-such-file", summary: "There is no file or directory “\(path)”",
                    detail: "A path is relative to the working directory, \(options.workingDirectory)."
                        + options.hint(at: path)))
        case .directory: readDirectory(path, options)
        case .file:
            let slash = path.lastIndex(of: "/")
            root = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            if path.hasSuffix(".pkr.hcl") || path.hasSuffix(".pkr.json") {
                read(path, options)
            } else if path.hasSuffix(".hcl") {
                diagnostics.append(
                    Diagnostic(
                        id: "template/wrong-extension", summary: "“\(path)” does not end in .pkr.hcl",
                        detail: "Packer takes a file of another name for a JSON template. Rename it to end in .pkr.hcl."
                    ))
            } else {
                // Whatever its name, as Packer has it.
                switch options.source(path) {
                case .success(let file): add(file, isNamed: !RealFileSystem.isPassed(path))
                case .failure(let error): diagnostics += error.diagnostics
                }
            }
        }
    }

    private mutating func readStandardInput(_ bytes: [UInt8], _ options: LoadOptions) {
        switch options.source("<standard input>", bytes) {
        case .success(let file): add(file, isNamed: false)
        case .failure(let error): diagnostics += error.diagnostics
        }
    }

    /// As Packer has it, a legacy template; but HCL where the path has no name to decide by.
    private mutating func add(_ file: SourceFile, isNamed: Bool) {
        if isNamed || file.startsWithBrace {
            legacy = file
        } else {
            files = [file]
            root = "."
        }
    }

    private mutating func readDirectory(_ path: String, _ options: LoadOptions) {
        let names: [String]
        do {
            names = try options.fileSystem.names(in: options.absolute(path)).sorted {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
        } catch {
            diagnostics.append(
                Diagnostic(
                    id: "template/unreadable", summary: "The directory “\(path)” cannot be read",
                    detail: "The reason: \("\(error)".endingInStop)"))
            return
        }
        let prefix = path == "." || path == "./" ? "" : path.hasSuffix("/") ? path : path + "/"
        if path.count > 1, path.hasSuffix("/") { root = String(path.dropLast()) }
        func isFile(_ name: String) -> Bool { options.fileSystem.kind(of: options.absolute(prefix + name)) == .file }
        for suffix in [".pkr.hcl", ".pkr.json"] {
            for name in names where name.hasSuffix(suffix) && isFile(name) { read(prefix + name, options) }
        }
        for suffix in [".auto.pkrvars.hcl", ".auto.pkrvars.json"] {
            automaticVariableFiles += names.filter { $0.hasSuffix(suffix) && isFile($0) }.map { prefix + $0 }
        }
        guard files.isEmpty, diagnostics.isEmpty else { return }
        let others = names.filter { $0.hasSuffix(".json") || $0.hasSuffix(".hcl") }.prefix(5)
        var detail = "A template is a directory of *.pkr.hcl files, or one file."
        if let json = others.first(where: { $0.hasSuffix(".json") }) {
            detail = "A JSON template is given by its own path, such as \(prefix + json)."
        } else if !others.isEmpty {
            detail = "There is \(others.joined(separator: ", ")), but only names that end in .pkr.hcl are read."
        }
        diagnostics.append(
            Diagnostic(
                id: "template/no-files", summary: "There is no *.pkr.hcl file in “\(path)”", detail: detail))
    }

    private mutating func read(_ path: String, _ options: LoadOptions) {
        switch options.source(path) {
        case .success(let file): files.append(file)
        case .failure(let error): diagnostics += error.diagnostics
        }
    }
}

extension SourceFile {
    /// As JSON does and HCL never.
    var startsWithBrace: Bool {
        text.utf8.first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: "{")
    }
}

extension LoadOptions {
    func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        if path.isEmpty || path == "." { return workingDirectory }
        return workingDirectory + "/" + path
    }

    /// An existing file, if the path is nearly its name.
    fileprivate func hint(at path: String) -> String {
        guard fileSystem.kind(of: absolute(path)) == nil else { return "" }
        return neighbour(of: path, in: fileSystem, absolute).map { " Did you mean \"\($0)\"?" } ?? ""
    }

    /// The text of a file; why not, if it cannot be had.
    func source(_ path: String) -> Result<SourceFile, TemplateError> {
        do {
            return source(path, try fileSystem.read(absolute(path), limit: TemplateFiles.largestFile))
        } catch {
            return failed(
                "unreadable", "“\(path)” cannot be read",
                "The reason: \("\(error)".endingInStop)" + hint(at: path)
                    + (path.hasPrefix("/") ? "" : " A path is relative to the working directory, \(workingDirectory)."))
        }
    }

    /// The text of what was read under a name; nil for too much.
    fileprivate func source(_ name: String, _ bytes: [UInt8]?) -> Result<SourceFile, TemplateError> {
        guard let bytes, bytes.count <= TemplateFiles.largestFile else {
            return failed("too-large", "“\(name)” is too large for a template", "At most 16 MiB are read.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return failed("not-utf8", "“\(name)” is not UTF-8 text", "Save it in the encoding UTF-8.")
        }
        return .success(SourceFile(name: name, text: text))
    }

    private func failed(_ id: String, _ summary: String, _ detail: String) -> Result<SourceFile, TemplateError> {
        .failure(TemplateError(diagnostics: [Diagnostic(id: "template/" + id, summary: summary, detail: detail)]))
    }
}
