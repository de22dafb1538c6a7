import Files
import Foundation
import Scopes

/// Where the output of a build goes.
package struct OutputPlace: Sendable {
    /// As the template names it.
    let shown: String
    /// Absolute, links resolved.
    package let path: String
    /// Whether something lies in it that has to stay there: the working directory, the template or the medium.
    let isInhabited: Bool
    /// Whether its name cannot be given to another folder, so that files are moved into it one by one: because of what
    /// lies in it, or since it is a mount point.
    package let isFixed: Bool

    /// - Parameters:
    ///   - named: An absolute path.
    ///   - shown: As the template names it.
    ///   - residents: Absolute paths of what must stay where it is.
    /// - Throws: `BuildError` for a link to a folder that is missing.
    package init(named: String, shown: String, residents: [String] = []) throws {
        self.shown = shown
        path = try Self.resolve(named, shown)
        let path = path
        isInhabited = residents.compactMap(realPath).contains { Self.isPath($0, in: path) }
        isFixed = isInhabited || fileStatus(path)?.isFolder == true && isMountPoint(path)
    }

    /// The folder in which a workspace can be renamed to the output.
    var workspaceParent: String { isFixed ? path : URL(filePath: path).deletingLastPathComponent().path }

    /// The path of something in the folder, relative to it; nil for what lies elsewhere.
    func name(of absolute: String) -> String? {
        let standard = URL(filePath: absolute).standardizedFileURL
        // A link that leads nowhere lies nowhere.
        guard let resolved = try? Self.resolve(standard.path, ""), resolved != path, Self.isPath(resolved, in: path)
        else { return nil }
        return String(resolved.dropFirst(path.count + 1))
    }

    private static func isPath(_ path: String, in folder: String) -> Bool {
        path == folder || path.hasPrefix(folder == "/" ? folder : folder + "/")
    }

    /// A link to a folder stands for the folder.
    private static func resolve(_ named: String, _ shown: String) throws -> String {
        let url = URL(filePath: named).standardizedFileURL
        if fileStatus(url.path)?.isLink == true {
            guard let real = realPath(url.path) else {
                throw BuildError(
                    "write to \(shown)", because: "it is a link to a folder that is missing",
                    hint: "Make the folder, or remove the link.")
            }
            return real
        }
        guard url.path != "/", let parent = realPath(url.deletingLastPathComponent().path) else { return url.path }
        return (parent == "/" ? "" : parent) + "/" + url.lastPathComponent
    }
}

/// The path without links; nil where there is nothing.
private func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}
