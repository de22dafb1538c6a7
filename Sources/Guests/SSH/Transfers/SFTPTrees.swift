import Foundation
import Guests
import Scopes

/// Whole folders over SFTP.
extension SSHConnection {
    func sendTreeBySFTP(_ tree: LocalTree, name: String?, into remote: String, _ sftp: SFTPChannel) async throws {
        let root = name.map { remote + "/" + $0 } ?? remote
        var folders = Self.folders(above: remote).map { (path: $0, mode: UInt32(0o755)) }
        if name != nil { folders.append((root, tree.mode)) }
        folders += tree.entries.filter(\.isFolder).map { (root + "/" + $0.name, $0.mode) }
        let made = try await makeFolders(folders, sftp)
        for entry in tree.entries where !entry.isFolder {
            let file = try LocalFile(entry.path)
            try await sendBySFTP(.file(file), to: root + "/" + entry.name, mode: entry.mode, sftp)
        }
        // Last, for a folder may forbid to write in it.
        try await inBulk(made.reversed(), sftp) { folder in
            sftp.request(.setStatus) {
                $0.add(folder.path.utf8)
                $0.addMode(folder.mode)
            }
        } onReply: { folder, reply in
            guard case .status(SFTPReply.ok) = reply else { throw failure("set the mode of \(folder.path)", reply) }
        }
    }

    private typealias Folder = (path: String, mode: UInt32)

    /// The path and all above it, the uppermost first.
    private static func folders(above path: String) -> [String] {
        var paths: [String] = []
        var current = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            current += (current.isEmpty || current == "/" ? "" : "/") + part
            paths.append(current)
        }
        return paths
    }

    /// - Returns: Those that were not there before.
    private func makeFolders(_ folders: [Folder], _ sftp: SFTPChannel) async throws -> [Folder] {
        var made: [Folder] = []
        var doubtful: [(Folder, SFTPReply)] = []
        try await inBulk(folders, sftp) { folder in
            sftp.request(.makeFolder) {
                $0.add(folder.path.utf8)
                $0.addMode(folder.mode | 0o700)
            }
        } onReply: { folder, reply in
            if case .status(SFTPReply.ok) = reply { made.append(folder) } else { doubtful.append((folder, reply)) }
        }
        // The protocol has no word for "it is there already".
        for (folder, reply) in doubtful where try await attributes(of: folder.path, sftp)?.isFolder != true {
            throw failure("make the folder \(folder.path)", reply)
        }
        return made
    }

    /// Sends a request for each element, without waiting for one before the next is sent.
    private func inBulk<Element>(
        _ elements: some Sequence<Element>, _ sftp: SFTPChannel, request: (Element) -> UInt32,
        onReply: (Element, SFTPReply) throws -> Void
    ) async throws {
        var underWay: [(id: UInt32, element: Element)] = []
        defer { sftp.forget(underWay.map(\.id)) }
        var rest = elements.makeIterator()
        while true {
            while underWay.count < 64, let next = rest.next() { underWay.append((request(next), next)) }
            guard !underWay.isEmpty else { return }
            let first = underWay.removeFirst()
            try onReply(first.element, try await reply(first.id, sftp, "copy a folder"))
        }
    }

    // MARK: From the guest

    func receiveTreeBySFTP(
        _ pattern: String, isContents: Bool, into target: inout DownloadTarget, _ sftp: SFTPChannel
    ) async throws {
        let matches = try await matches(of: pattern, sftp)
        guard !matches.isEmpty else { throw GuestError.notTransferable("nothing in the guest is called \(pattern)") }
        var count = 0
        for path in matches {
            let place = isContents ? nil : try target.path(for: String(path.split(separator: "/").last ?? "/"))
            guard let attributes = try await attributes(of: path, sftp) else { continue }
            if let place {
                let entry = RemoteEntry(path: path, local: place, depth: 0, links: [])
                try await receive(entry, attributes, sftp, &count)
            } else if attributes.isFolder {
                for name in try await list(path, sftp) {
                    let entry = RemoteEntry(
                        path: path + "/" + name.name, local: try target.path(for: name.name), depth: 0, links: [])
                    try await receive(entry, name.attributes, sftp, &count)
                }
            } else if !RemoteName.hasWildcards(pattern) {
                throw GuestError.notTransferable("\(path) in the guest is not a folder")
            }
        }
    }

    private struct RemoteEntry {
        var path: String
        var local: String
        var depth: Int
        /// Where the links to folders on the way here lead, so as not to run in circles.
        var links: [String]
    }

    private func receive(
        _ entry: RemoteEntry, _ attributes: SFTPAttributes, _ sftp: SFTPChannel, _ count: inout Int
    ) async throws {
        count += 1
        guard count <= RemoteName.mostEntries, entry.depth <= RemoteName.deepest else {
            throw GuestError.notTransferable("the guest's folder does not end: \(entry.path)")
        }
        var entry = entry
        var attributes = attributes
        if attributes.isLink || attributes.mode == nil {
            // A link that leads nowhere is left out.
            guard let target = try await self.attributes(of: entry.path, sftp) else { return }
            attributes = target
            if target.isFolder {
                let real = try await realPath(of: entry.path, sftp)
                let folder = try await realPath(of: Self.parent(of: entry.path), sftp)
                // A link to a folder that we are in: all of it is being copied already.
                if (folder + "/").hasPrefix(real == "/" ? "/" : real + "/") || entry.links.contains(real) { return }
                entry.links.append(real)
            }
        }
        if attributes.isFolder {
            try DownloadTarget.makeFolder(entry.local, mode: attributes.mode ?? 0o755)
            for name in try await list(entry.path, sftp) {
                try RemoteName.check(name.name)
                let inner = RemoteEntry(
                    path: entry.path + "/" + name.name, local: entry.local + "/" + name.name, depth: entry.depth + 1,
                    links: entry.links)
                try await receive(inner, name.attributes, sftp, &count)
            }
        } else if attributes.isFile {
            try await receiveBySFTP(entry.path, to: entry.local, sftp)
        }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The paths that a pattern stands for, as a shell would give them.
    private func matches(of pattern: String, _ sftp: SFTPChannel) async throws -> [String] {
        var paths = [pattern.hasPrefix("/") ? "/" : ""]
        for part in pattern.split(separator: "/") {
            var next: [String] = []
            for path in paths {
                let prefix = path.isEmpty || path.hasSuffix("/") ? path : path + "/"
                if !RemoteName.hasWildcards(part) {
                    next.append(prefix + part)
                    continue
                }
                guard try await attributes(of: path.isEmpty ? "." : path, sftp)?.isFolder == true else { continue }
                for name in try await list(path.isEmpty ? "." : path, sftp)
                where fnmatch(String(part), name.name, FNM_PERIOD) == 0 {
                    try RemoteName.check(name.name)
                    next.append(prefix + name.name)
                }
            }
            paths = next
        }
        var found: [String] = []
        for path in paths where try await attributes(of: path, sftp) != nil { found.append(path) }
        return found
    }
}
