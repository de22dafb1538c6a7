import CGuestfs
import Foundation
import Scopes

/// The status of a path in the guest.
package struct GuestFileStatus: Sendable {
    /// The type and the permissions, as in `st_mode`.
    package var mode: Int64
    /// The user ID.
    package var owner: Int64
    /// The group ID.
    package var group: Int64
    /// In bytes.
    package var size: Int64

    /// Whether it is a regular file.
    package var isFile: Bool { mode & 0o170000 == 0o100000 }
    /// Whether it is a folder.
    package var isFolder: Bool { mode & 0o170000 == 0o040000 }
}

extension Guestfs {
    /// The size in bytes of one message to or from the appliance, well below libguestfs's limit of 4 MiB.
    private static let chunk = 1 << 20

    /// Whether a path exists.
    package func exists(_ path: String) throws -> Bool { try truth(api.exists(handle, path)) }

    /// Whether it is a regular file, also through links.
    func isFile(_ path: String) throws -> Bool {
        var options = guestfs_is_file_opts_argv()
        options.followsymlinks = 1
        options.bitmask = 1
        return try truth(api.is_file_opts_argv(handle, path, &options))
    }

    func isFolder(_ path: String) throws -> Bool {
        var options = guestfs_is_dir_opts_argv()
        options.followsymlinks = 1
        options.bitmask = 1
        return try truth(api.is_dir_opts_argv(handle, path, &options))
    }

    /// Whether a path is a symbolic link.
    package func isLink(_ path: String) throws -> Bool { try truth(api.is_symlink(handle, path)) }

    func status(_ path: String) throws -> GuestFileStatus {
        try structure(api.statns(handle, path), free: { api.free_statns($0) }, Self.status)
    }

    /// The regular files below a folder, by their paths relative to it; links are not followed.
    func files(below folder: String) throws -> [(name: String, status: GuestFileStatus)] {
        let list = processes.folder + "/names"
        defer { unlink(list) }
        // In this call libguestfs resolves a link to a folder in the appliance's root, not in the guest's.
        let real = try text(api.realpath(handle, folder))
        try done(api.find0(handle, real, list))
        let names = try Data(contentsOf: URL(fileURLWithPath: list)).split(separator: 0).map {
            String(decoding: $0.first == UInt8(ascii: "/") ? $0.dropFirst() : $0, as: UTF8.self)
        }
        // libguestfs returns the status of many files at once, but only within one folder.
        let byFolder = Dictionary(grouping: names) { name in
            name.lastIndex(of: "/").map { String(name[...$0]) } ?? ""
        }
        var found: [(name: String, status: GuestFileStatus)] = []
        for (inner, paths) in byFolder.sorted(by: { $0.key < $1.key }) {
            let short = paths.map { String($0.dropFirst(inner.count)) }
            let path = inner.isEmpty ? real : (real == "/" ? "" : real) + "/\(inner.dropLast())"
            try withTexts(short) { list in
                try structure(api.lstatnslist(handle, path, list), free: { api.free_statns_list($0) }) { statuses in
                    for (index, name) in paths.enumerated() where index < Int(statuses.len) {
                        // A file that was removed meanwhile has no inode.
                        guard let raw = statuses.val?[index], raw.st_ino != -1 else { continue }
                        let status = Self.status(raw)
                        if status.isFile { found.append((name, status)) }
                    }
                }
            }
        }
        return found
    }

    private static func status(_ raw: guestfs_statns) -> GuestFileStatus {
        GuestFileStatus(mode: raw.st_mode, owner: raw.st_uid, group: raw.st_gid, size: raw.st_size)
    }

    /// The paths that a shell pattern matches; may be empty.
    func glob(_ pattern: String) throws -> [String] {
        var options = guestfs_glob_expand_opts_argv()
        options.directoryslash = 0
        options.bitmask = 1
        return try texts(api.glob_expand_opts_argv(handle, pattern, &options))
    }

    func names(in folder: String) throws -> [String] { try texts(api.ls(handle, folder)) }

    /// The content of a regular file, at most `limit` bytes; nil if there is no such file.
    func bytes(of path: String, limit: Int) throws -> [UInt8]? {
        // A pipe or a device would block the appliance.
        guard try isFile(path) else { return nil }
        return try bytes(ofFile: path, limit: limit)
    }

    /// The content of what is known to be a regular file, at most `limit` bytes.
    func bytes(ofFile path: String, from start: Int64 = 0, limit: Int) throws -> [UInt8] {
        var content: [UInt8] = []
        while content.count < limit {
            try Task.checkCancellation()
            var size = 0
            let wanted = min(Self.chunk, limit - content.count)
            guard let piece = api.pread(handle, path, Int32(wanted), start + Int64(content.count), &size) else {
                throw lastError
            }
            defer { free(piece) }
            if size == 0 { break }
            content.append(contentsOf: UnsafeRawBufferPointer(start: piece, count: size))
            if size < wanted { break }
        }
        return content
    }

    /// The most bytes of a text file.
    private static let longestText = 4 << 20

    /// The content of a text file, at most 4 MiB; nil if there is no such file.
    package func contents(_ path: String) throws -> String? {
        try bytes(of: path, limit: Self.longestText).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The content of a text file that is to be rewritten, empty if there is no such file; nil, with a warning, if it is
    /// longer than 4 MiB and would be truncated.
    func wholeText(_ path: String, _ journal: inout FinishJournal) throws -> String? {
        let content = try bytes(of: path, limit: Self.longestText + 1) ?? []
        guard content.count <= Self.longestText else {
            journal.warn("\(path) is longer than \(Self.longestText >> 20) MiB and was not changed.")
            return nil
        }
        return String(decoding: content, as: UTF8.self)
    }

    /// Writes a file; an existing one keeps its owner, mode and label.
    func write(_ content: [UInt8], to path: String) throws {
        var rest = content[...]
        var isFirst = true
        while isFirst || !rest.isEmpty {
            let piece = Array(rest.prefix(Self.chunk))
            rest = rest.dropFirst(piece.count)
            try piece.withUnsafeBytes { raw in
                let pointer = raw.baseAddress?.assumingMemoryBound(to: CChar.self)
                try "".withCString { empty in
                    let start = pointer ?? empty
                    try done(
                        isFirst
                            ? api.write(handle, path, start, raw.count)
                            : api.write_append(handle, path, start, raw.count))
                }
            }
            isFirst = false
        }
    }

    /// Writes a text file; an existing one keeps its owner, mode and label.
    package func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

    /// Copies a file of this host into the guest.
    func upload(_ file: String, to path: String) throws { try done(api.upload(handle, file, path)) }

    /// Removes a path and everything below it. Links on the way are followed inside the guest; a link at the end is removed
    /// itself.
    func remove(_ path: String) throws {
        guard let slash = path.lastIndex(of: "/"), path.index(after: slash) < path.endIndex else {
            throw GuestfsError(text: "rm_rf: \(path): this is not the path of a file", number: EINVAL)
        }
        let name = path[path.index(after: slash)...]
        guard name != ".", name != ".." else {
            throw GuestfsError(text: "rm_rf: \(path): this is not the path of a file", number: EINVAL)
        }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        guard try isFolder(folder) else { return }
        // In this call libguestfs resolves links in the appliance's root, not in the guest's.
        let real = try text(api.realpath(handle, folder))
        try done(api.rm_rf(handle, (real == "/" ? "" : real) + "/" + name))
    }

    func truncate(_ path: String) throws { try done(api.truncate(handle, path)) }
    /// Creates a folder and its missing parents.
    package func makeFolders(_ path: String) throws { try done(api.mkdir_p(handle, path)) }
    func setMode(_ mode: Int32, of path: String) throws { try done(api.chmod(handle, mode, path)) }
    func setOwner(_ owner: Int32, group: Int32, of path: String) throws {
        try done(api.chown(handle, owner, group, path))
    }
    /// Makes a symbolic link, replacing an existing one.
    package func link(_ path: String, to target: String) throws { try done(api.ln_sf(handle, target, path)) }
    func touch(_ path: String) throws { try done(api.touch(handle, path)) }

    /// Labels files as the guest's SELinux policy requires.
    func relabel(_ path: String, by contexts: String) throws {
        var options = guestfs_selinux_relabel_argv()
        options.force = 1
        options.bitmask = 1
        try done(api.selinux_relabel_argv(handle, contexts, path, &options))
    }

    func has(_ feature: String) throws -> Bool {
        try withTexts([feature]) { list in try truth(api.feature_available(handle, list)) }
    }
}
