import Foundation
import Scopes

/// A file of checksums, as distributions publish them beside their images.
///
/// Lines are `hash  name`, `hash *name`, `hash ?name`, `ALGO (name) = hash`, or a hash alone. Comments, the header lines of
/// signed messages and everything else that is not a checksum are skipped.
package struct ChecksumList: Sendable {
    /// Lists are a few KiB; more bytes than this are something else.
    package static let largest = 8 << 20

    private var named: [(name: String, checksum: Checksum)] = []
    private var nameless: [Checksum] = []

    /// Reads the text of a list; lines that it does not understand are skipped.
    package init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let fields = line.split { $0 == " " || $0 == "\t" }
            guard let first = fields.first, !first.hasPrefix("#"), !first.hasPrefix("-----") else { continue }
            if let entry = Self.bsdEntry(line) {
                named.append(entry)
                continue
            }
            guard let checksum = Checksum(bare: first) else { continue }
            if fields.count > 1 {
                let rest = line[first.endIndex...].drop { $0 == " " || $0 == "\t" }
                let name = rest.hasPrefix("*") || rest.hasPrefix("?") ? rest.dropFirst() : rest
                named.append((String(name), checksum))
            }
            if fields.count != 2 { nameless.append(checksum) }
        }
    }

    /// `SHA256 (name) = hash`
    private static func bsdEntry(_ line: Substring) -> (name: String, checksum: Checksum)? {
        guard let open = line.range(of: " ("), let close = line.range(of: ") = ", options: .backwards),
            open.upperBound <= close.lowerBound, let checksum = Checksum(bare: trimmed(line[close.upperBound...]))
        else { return nil }
        let algorithm = line[..<open.lowerBound].lowercased().filter { $0 != "-" }
        guard algorithm == checksum.algorithm.rawValue else { return nil }
        return (String(line[open.upperBound..<close.lowerBound]), checksum)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }

    /// The checksum of the medium at `url` in a list that is at `list`, the strongest where there are several; else the list's
    /// hash without a name; nil if there is neither.
    package func checksum(ofMediumAt url: String, listAt list: String) -> Checksum? {
        for name in namesInList(of: url, list: list) {
            let found = named.filter { $0.name == name || $0.name == "./" + name }.map(\.checksum)
            if let best = found.max(by: { $0.algorithm.digits < $1.algorithm.digits }) { return best }
        }
        return nameless.first
    }

    /// Some of its names, for messages.
    package var someNames: [String] { Array(named.prefix(5).map(\.name)) }
}

/// Names that a list may use for the medium at `url`, when the list is at `list`: base name, relative to the list, whole.
private func namesInList(of url: String, list: String) -> [String] {
    let path = pathOfURL(url)
    var names = [baseName(path)]
    let folder = parentFolder(pathOfURL(list))
    if path.hasPrefix(folder + "/") { names.append(String(path.dropFirst(folder.count + 1))) }
    names += [path, String(path.drop { $0 == "/" }), url]
    return names
}

/// The path of a URL, percent-decoded and without its query; of a path the path itself.
func pathOfURL(_ text: String) -> String {
    guard let scheme = text.range(of: "://") else { return text }
    let rest = text[scheme.upperBound...].prefix { $0 != "?" && $0 != "#" }
    guard let slash = rest.firstIndex(of: "/") else { return "/" }
    return rest[slash...].removingPercentEncoding ?? String(rest[slash...])
}
