import Foundation
import Guests
import Scopes

/// Names and paths in the guest.
enum RemoteName {
    /// More is taken for a guest that does not stop.
    static let mostEntries = 200_000
    static let deepest = 100

    /// A path as SFTP and a command both understand it: they start in the home folder and do not know `~`.
    static func path(_ path: String) -> String {
        if path == "~" { return "." }
        let path = path.hasPrefix("~/") ? "./" + path.dropFirst(2) : path
        return path.hasPrefix("-") ? "./" + path : path
    }

    static func withoutSlashes(_ path: String) -> String {
        var path = Substring(path)
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    /// A name that the guest gives must name something in the folder it is put in, nothing else.
    static func check(_ name: String) throws {
        let isHarmless = !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == 0x2F || $0 == 0 }
        guard isHarmless, name.utf8.count <= 255 else {
            throw GuestError.notTransferable(
                "the guest gives a file name that cannot be used: \(name.debugDescription)")
        }
    }

    static func hasWildcards(_ path: some StringProtocol) -> Bool { path.contains { "*?[".contains($0) } }

    /// A pattern for a POSIX shell, in which only the wildcards mean something.
    static func quotedPattern(_ pattern: String) throws -> String {
        guard !pattern.contains(where: \.isNewline) else {
            throw GuestError.notTransferable(
                "a pattern of file names cannot hold a line break: \(pattern.debugDescription)")
        }
        return pattern.reduce(into: "") { text, character in
            let isPlain = character.isLetter || character.isNumber || "/*?[]-_.".contains(character)
            text += isPlain ? String(character) : "\\\(character)"
        }
    }
}

/// The folder here that a download fills.
struct DownloadTarget {
    let folder: String
    private var names: Set<String> = []

    var isEmpty: Bool { names.isEmpty }

    init(_ folder: String) throws {
        self.folder = RemoteName.withoutSlashes(folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// The path for a name directly in the folder; a pattern can match the same name in two places.
    mutating func path(for name: String) throws -> String {
        try RemoteName.check(name)
        guard names.insert(name).inserted else {
            throw GuestError.notTransferable(
                "two files of the guest are both called \(name) and would overwrite each other")
        }
        return folder + "/" + name
    }

    static func makeFolder(_ path: String, mode: UInt32) throws {
        if mkdir(path, mode_t(mode & 0o777 | 0o700)) == 0 { return }
        let code = errno
        var status = stat()
        if code == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
        errno = code
        throw systemFailure(path)
    }
}
