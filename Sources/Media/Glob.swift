import Foundation
import Scopes

/// The paths that match a pattern, sorted; a pattern without `*`, `?` and `[` is a path itself.
///
/// A star matches names that begin with a dot, too, as it does in Packer. A file whose name has these characters
/// literally wins over the pattern.
///
/// - Throws: `BuildError` naming the pattern when there is nothing.
package func expandGlob(_ pattern: String, workingDirectory: String) throws -> [String] {
    let whole = absolutePath(pattern, in: workingDirectory)
    if exists(whole) { return [whole] }
    let operation = "find the files `\(pattern)`"
    guard pattern.contains(where: { "*?[".contains($0) }) else {
        throw BuildError(operation, because: "\(whole) does not exist", hint: "Paths start in \(workingDirectory).")
    }
    var found = ["/"]
    for component in whole.split(separator: "/").map(String.init) {
        var next: [String] = []
        for folder in found {
            let prefix = folder.hasSuffix("/") ? folder : folder + "/"
            guard component.contains(where: { "*?[\\".contains($0) }) else {
                if exists(prefix + component) { next.append(prefix + component) }
                continue
            }
            // A folder that cannot be listed, or a file, has no matches.
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            next += names.filter { fnmatch(component, $0, 0) == 0 }.sorted().map { prefix + $0 }
        }
        guard next.count <= 100_000 else { throw BuildError(operation, because: "it matches more than 100000 files") }
        found = next
    }
    guard !found.isEmpty else {
        throw BuildError(operation, because: "nothing matches", hint: "Patterns start in \(workingDirectory).")
    }
    return found
}

private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
