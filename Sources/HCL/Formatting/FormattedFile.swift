package import Diagnostics
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// A file of HCL and the canonical form of it.
package struct FormattedFile {
    package var source: SourceFile
    package var formatted: String
    /// Whose mistakes are worth telling: with errors among them the file stays as it is.
    package var diagnostics: [Diagnostic]

    package var isChanged: Bool { formatted != source.text }

    /// Formats `contents` if it parses. `name` is for people.
    package init(name: String, contents: [UInt8]) {
        guard let text = String(validating: contents, as: UTF8.self) else {
            self.init(
                SourceFile(name: name, text: ""), [.unformattable(name, "It is not UTF-8 text; save it as such.")])
            return
        }
        let source = SourceFile(name: name, text: text)
        self.init(source, parse(source).diagnostics)
    }

    /// Reads and formats the file at `path`.
    package init(path: String) {
        var information = stat()
        let isFound = stat(path, &information) == 0
        guard isFound, information.st_mode & S_IFMT == S_IFREG else {
            let reason = isFound ? "It is not a regular file." : String(cString: strerror(errno)) + "."
            self.init(SourceFile(name: path, text: ""), [.unformattable(path, reason)])
            return
        }
        guard let contents = Self.contents(of: path) else {
            self.init(
                SourceFile(name: path, text: ""), [.unformattable(path, String(cString: strerror(errno)) + ".")])
            return
        }
        self.init(name: path, contents: contents)
    }

    /// nil after an error; `errno` has the reason.
    private static func contents(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return contents }
            contents += buffer[..<count]
        }
    }

    private init(_ source: SourceFile, _ diagnostics: [Diagnostic]) {
        self.source = source
        self.diagnostics = diagnostics.bounded()
        formatted = diagnostics.hasErrors ? source.text : format(source.text)
    }

    /// Replaces the file by its canonical form, in one step and with the same mode and owner.
    ///
    /// - Throws: `TemplateError` with what the system said; the file is then as it was.
    package func write() throws(TemplateError) {
        let isThere = access(source.name, F_OK) == 0
        let reason =
            isThere ? replaceFile(at: source.name, with: Array(formatted.utf8)) : String(cString: strerror(errno))
        guard let reason else { return }
        throw TemplateError(diagnostics: [
            Diagnostic(
                id: "fmt/unwritable", summary: "Cannot write \(source.name)",
                detail: "\(reason.prefix(1).uppercased() + reason.dropFirst()). The file is as it was.")
        ])
    }
}

/// The templates and variable files at `path`: the file itself, or those of the folder, sorted by name.
///
/// Files that editors keep for themselves (`.x`, `x~`, `#x#`) are left out, and so are hidden folders. Links to
/// folders are not followed.
package func formattableFiles(at path: String, isRecursive: Bool) -> Diagnosed<[String]> {
    var information = stat()
    guard stat(path, &information) == 0 else {
        return Diagnosed([], [.unformattable(path, String(cString: strerror(errno)) + ".")])
    }
    guard information.st_mode & S_IFMT == S_IFDIR else {
        if isTemplate(path) { return Diagnosed([path]) }
        return Diagnosed([], [.unformattable(path, "Only .pkr.hcl and .pkrvars.hcl files are formatted.")])
    }
    guard let stream = opendir(path) else {
        return Diagnosed([], [.unformattable(path, String(cString: strerror(errno)) + ".")])
    }
    closedir(stream)
    // It could be opened; what is thrown now says nothing that people understand.
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path).sorted() else {
        return Diagnosed([], [.unformattable(path, "The names in the folder cannot be listed.")])
    }
    var result = Diagnosed<[String]>([])
    for name in names where !isHidden(name) {
        let inner = path == "." ? name : path.hasSuffix("/") ? path + name : path + "/" + name
        guard lstat(inner, &information) == 0 else { continue }
        if information.st_mode & S_IFMT == S_IFDIR {
            guard isRecursive else { continue }
            let found = formattableFiles(at: inner, isRecursive: true)
            result.value += found.value
            result.diagnostics += found.diagnostics
        } else if isTemplate(name) {
            result.value.append(inner)
        }
    }
    return result
}

private func isHidden(_ name: String) -> Bool {
    name.hasPrefix(".") || name.hasSuffix("~") || name.hasPrefix("#") && name.hasSuffix("#")
}

private func isTemplate(_ name: String) -> Bool {
    name.hasSuffix(".pkr.hcl") || name.hasSuffix(".pkrvars.hcl")
}

extension Diagnostic {
    fileprivate static func unformattable(_ name: String, _ reason: String) -> Diagnostic {
        Diagnostic(id: "fmt/unreadable", summary: "Cannot format \(name)", detail: reason)
    }
}
