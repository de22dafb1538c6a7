import Foundation
import Scopes

/// What is to go onto a seed medium: folders and files by name, files from this host or given as text.
struct FileTree {
    indirect enum Node {
        case file(path: String, size: Int64, modified: Int64)
        case text([UInt8])
        case folder([String: Node])
    }

    /// Bounds for folders that hold more than anyone means to put on a seed medium, such as `/`.
    private static let mostEntries = 50_000
    private static let deepest = 32

    private(set) var root: [String: Node] = [:]
    private let operation: String
    private var entries = 0

    init(_ operation: String) { self.operation = operation }

    /// Adds what matches a path or pattern: a file under its name, a folder with all in it under its name.
    ///
    /// - Parameter isFlat: Of a folder only the files, those of its folders too, each under its own name.
    mutating func add(pattern: String, workingDirectory: String, isFlat: Bool) async throws {
        for path in try expandGlob(pattern, workingDirectory: workingDirectory) {
            let node = try await read(path, depth: 0)
            let name = baseName(URL(filePath: path).standardizedFileURL.path)
            if case .folder(let children) = node, isFlat {
                flatten(children)
            } else if case .folder(let children) = node, name.isEmpty {
                root.merge(children) { $1 }
            } else if case .folder(let children) = node, case .folder(let there)? = root[name] {
                root[name] = .folder(there.merging(children) { $1 })
            } else {
                root[name] = node
            }
        }
    }

    /// Adds a text under a path of the medium; it wins over a file of that name.
    mutating func add(text: String, at path: String) throws {
        let parts = path.split { $0 == "/" }.map { String($0) }.filter { $0 != "." }
        guard !parts.isEmpty, !parts.contains("..") else {
            throw BuildError(operation, because: "“\(path)” is not a path on it")
        }
        root = try placing(.text(Array(text.utf8)), parts[...], in: root, path)
    }

    private func placing(
        _ node: Node, _ parts: ArraySlice<String>, in folder: [String: Node], _ path: String
    ) throws -> [String: Node] {
        guard let name = parts.first else { return folder }
        var folder = folder
        if parts.count == 1 {
            folder[name] = node
        } else {
            switch folder[name] {
            case .folder(let inner)?: folder[name] = .folder(try placing(node, parts.dropFirst(), in: inner, path))
            case nil: folder[name] = .folder(try placing(node, parts.dropFirst(), in: [:], path))
            default: throw BuildError(operation, because: "“\(path)” lies in \(name), which is a file")
            }
        }
        return folder
    }

    private mutating func flatten(_ children: [String: Node]) {
        for (name, node) in children.sorted(by: { $0.key < $1.key }) {
            if case .folder(let inner) = node { flatten(inner) } else { root[name] = node }
        }
    }

    private mutating func read(_ path: String, depth: Int) async throws -> Node {
        try Task.checkCancellation()
        entries += 1
        guard entries <= Self.mostEntries, depth <= Self.deepest else {
            throw BuildError(
                operation, because: "\(path) is too large a tree",
                hint:
                    "At most \(Self.mostEntries) files, \(Self.deepest) folders deep; is there a link that leads back up?"
            )
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw systemFailure(operation, "\(path): ") }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            guard access(path, R_OK) == 0 else { throw systemFailure(operation, "\(path): ") }
            return .file(path: path, size: Int64(status.st_size), modified: Int64(status.st_mtim.tv_sec))
        case S_IFDIR:
            let names: [String]
            do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
                throw BuildError(operation, because: "\(path): \(error.localizedDescription)")
            }
            var children: [String: Node] = [:]
            for name in names { children[name] = try await read(path + "/" + name, depth: depth + 1) }
            return .folder(children)
        default: throw BuildError(operation, because: "\(path) is neither a file nor a folder")
        }
    }
}
