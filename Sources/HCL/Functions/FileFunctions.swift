import Diagnostics
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Where the functions that touch files look.
struct FunctionPaths: Sendable {
    let files: any FunctionFiles
    let templateDirectory: String
    let workingDirectory: String

    /// A path made absolute from the template's folder; `~` is the home folder.
    func fromTemplate(_ path: String) -> String { clean(join(templateDirectory, expanded(path))) }

    func fromWorkingDirectory(_ path: String) -> String { clean(join(workingDirectory, path)) }

    func expanded(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/"), let home = homeFolder() else { return path }
        return home + path.dropFirst()
    }

    private func join(_ folder: String, _ path: String) -> String { path.hasPrefix("/") ? path : folder + "/" + path }

    func text(_ path: String, argument: Int) throws(FunctionError) -> String {
        let absolute = fromTemplate(path)
        let bytes: [UInt8]
        do { bytes = try files.read(absolute) } catch {
            throw FunctionError("the file \(path) cannot be read (\(absolute)): \(error)", argument: argument)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FunctionError("the file \(path) is not UTF-8 text; filebase64 reads other files", argument: argument)
        }
        return text
    }
}

/// A path without `.`, `..` and doubled slashes.
private func clean(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
}

/// The same for a path that may be relative: `.` for nothing, and `..` kept where it leads out.
private func cleanRelative(_ path: String) -> String {
    if path.hasPrefix("/") { return clean(path) }
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
        if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
    }
    return parts.isEmpty ? "." : parts.joined(separator: "/")
}

private func homeFolder() -> String? {
    getenv("HOME").map { String(cString: $0) }
}

func fileFunctions(_ paths: FunctionPaths) -> [String: Function] {
    [
        "file": Function(.string) { arguments throws(FunctionError) in
            .string(try paths.text(try arguments.string(0), argument: 0))
        },
        "filebase64": Function(.string) { arguments throws(FunctionError) in
            let path = try arguments.string(0)
            do {
                return .string(Data(try paths.files.read(paths.fromWorkingDirectory(path))).base64EncodedString())
            } catch {
                throw FunctionError("the file \(path) cannot be read: \(error)", argument: 0)
            }
        },
        "fileexists": Function(.string) { arguments throws(FunctionError) in
            let path = try arguments.string(0)
            switch paths.files.kind(of: paths.fromTemplate(path)) {
            case .file: return .bool(true)
            case .directory: throw FunctionError("\(path) is a folder", argument: 0)
            case nil: return .bool(false)
            }
        },
        "fileset": Function(.string, .string) { arguments throws(FunctionError) in
            let folder = paths.fromTemplate(try arguments.string(0))
            let found = try FileSet(files: paths.files, pattern: try arguments.string(1)).names(in: folder)
            return .makeSet(found.map { .string($0) })
        },
        "abspath": Function(.string) { arguments throws(FunctionError) in
            .string(paths.fromWorkingDirectory(try arguments.string(0)))
        },
        "pathexpand": Function(.string) { arguments throws(FunctionError) in
            .string(paths.expanded(try arguments.string(0)))
        },
        "basename": Function(.string) { arguments throws(FunctionError) in
            let path = try arguments.string(0)
            if path.isEmpty { return .string(".") }
            return .string(path.split(separator: "/").last.map { String($0) } ?? "/")
        },
        "dirname": Function(.string) { arguments throws(FunctionError) in
            let path = try arguments.string(0)
            guard let slash = path.lastIndex(of: "/") else { return .string(".") }
            return .string(cleanRelative(String(path[...slash])))
        },
    ]
}

/// `templatefile`: a file rendered with its own variables, and every function but itself.
func templateFileFunction(_ paths: FunctionPaths, functions: [String: Function]) -> Function {
    Function(.string, .any, takesAnything: true) { arguments throws(FunctionError) in
        guard arguments[0].isKnown, arguments[1].isKnown else { return .unknown }
        let path = try arguments.string(0)
        let variables = try arguments.attributes(1)
        let file = SourceFile(name: path, text: try paths.text(path, argument: 0))
        let parsed = parseTemplate(file)
        for reference in parsed.value.references {
            guard let root = reference.path.first, variables[root] == nil else { continue }
            throw FunctionError(
                "the file \(path) uses \"\(root)\", which is not among the given variables", argument: 1)
        }
        let result = parsed.value.evaluate(in: EvaluationContext(variables: variables, functions: functions))
        let problems = parsed.diagnostics + result.diagnostics
        if let problem = problems.first(where: { $0.severity == .error }) {
            let line = problem.subject.map { range in
                let line = 1 + file.text.utf8.prefix(range.start).count { $0 == 0x0A }
                return " line \(line)"
            }
            let reason = problem.detail.isEmpty ? problem.summary : "\(problem.summary): \(problem.detail)"
            throw FunctionError("\(path)\(line ?? ""): \(reason)", argument: 0)
        }
        return result.value
    }
}

/// The files below a folder whose relative path matches a pattern of `*`, `?`, `[…]`, `{a,b}` and `**`.
private struct FileSet {
    let files: any FunctionFiles
    private let expression: RegularExpression
    /// How many folders deep a match can lie.
    private let deepest: Int
    /// What is looked at, matching or not.
    private static let mostEntries = 20_000

    init(files: any FunctionFiles, pattern: String) throws(FunctionError) {
        self.files = files
        deepest = pattern.contains("**") ? 50 : pattern.count { $0 == "/" }
        var text = ""
        var rest = pattern[...]
        var braces = 0
        while let character = rest.popFirst() {
            switch character {
            case "*":
                if rest.hasPrefix("*/") {
                    rest = rest.dropFirst(2)
                    text += "(?:.*/)?"
                } else if rest.first == "*" {
                    rest.removeFirst()
                    text += ".*"
                } else {
                    text += "[^/]*"
                }
            case "?": text += "[^/]"
            case "{":
                braces += 1
                text += "(?:"
            case "}" where braces > 0:
                braces -= 1
                text += ")"
            case "," where braces > 0: text += "|"
            case "[", "]": text.append(character)
            default:
                text +=
                    character.isASCII && !character.isLetter && !character.isNumber && character != "/"
                    ? "\\\(character)" : String(character)
            }
        }
        guard braces == 0 else {
            throw FunctionError("\"\(pattern)\" is not a pattern for file names: a brace is not closed", argument: 1)
        }
        expression = try RegularExpression("^(?:" + text + ")$", argument: 1)
    }

    func names(in folder: String) throws(FunctionError) -> [String] {
        var found: [String] = []
        var pending = [""]
        var visited = 0
        while let prefix = pending.popLast() {
            let names: [String]
            do { names = try files.names(in: folder + "/" + prefix) } catch {
                throw FunctionError("the folder \(folder)/\(prefix) cannot be read: \(error)", argument: 0)
            }
            for name in names {
                visited += 1
                guard visited <= Self.mostEntries else {
                    throw FunctionError(
                        "there are more than \(Self.mostEntries) files and folders in \(folder); name a smaller folder, or a pattern without **",
                        argument: 0)
                }
                if visited % 64 == 0, Task.isCancelled { throw FunctionError("interrupted") }
                let path = prefix + name
                switch files.kind(of: folder + "/" + path) {
                case .directory: if path.utf8.count(where: { $0 == 0x2F }) < deepest { pending.append(path + "/") }
                case .file: if try expression.matches(path) { found.append(path) }
                case nil: break
                }
            }
        }
        return found
    }
}
