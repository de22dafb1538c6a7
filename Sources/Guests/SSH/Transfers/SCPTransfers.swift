import Foundation
import Guests
import Scopes

/// Files and folders over SCP.
extension SSHConnection {
    private static let piece = 128 << 10

    func sendBySCP(_ content: UploadContent, to path: String, mode: UInt32) async throws {
        // -p, for else the guest's umask would cut the mode.
        let scp = try await startSCP("scp -p -t \(dialect.quoted(path))", operation: "write \(path)")
        defer { scp.channel.free() }
        try await expectAcknowledgement(scp)
        try await send(content, name: URL(filePath: path).lastPathComponent, mode: mode, scp)
    }

    func sendTreeBySCP(_ tree: LocalTree, name: String?, into remote: String) async throws {
        let folder = dialect.quoted(remote)
        let errors = FirstLine()
        let exit = try await run("mkdir -p \(folder)", usesPTY: false, timeout: options.stallTimeout) {
            if $0.isError { errors.add($0.text) }
        }
        guard exit == .code(0) else {
            throw GuestError.notTransferable(
                "the guest could not make the folder \(remote): \(errors.text ?? "\(exit)")")
        }
        let scp = try await startSCP("scp -p -r -t \(folder)", operation: "write \(remote)")
        defer { scp.channel.free() }
        try await expectAcknowledgement(scp)
        if let name { try await sendRecord("D", mode: tree.mode, size: 0, name: name, scp) }
        var depth = 0
        for entry in tree.entries {
            while depth > entry.depth { try await leaveFolder(scp, &depth) }
            let name = URL(filePath: entry.path).lastPathComponent
            if entry.isFolder {
                try await sendRecord("D", mode: entry.mode, size: 0, name: name, scp)
                depth += 1
            } else {
                try await send(.file(try LocalFile(entry.path)), name: name, mode: entry.mode, scp)
            }
        }
        while depth > (name == nil ? 0 : -1) { try await leaveFolder(scp, &depth) }
    }

    private func leaveFolder(_ scp: SCPChannel, _ depth: inout Int) async throws {
        try await send(Array("E\n".utf8), over: scp)
        try await expectAcknowledgement(scp)
        depth -= 1
    }

    private func send(_ content: UploadContent, name: String, mode: UInt32, _ scp: SCPChannel) async throws {
        let size = content.size
        try await sendRecord("C", mode: mode, size: size, name: name, scp)
        var offset = 0
        while offset < size {
            let bytes = try content.read(at: offset, most: min(Self.piece, size - offset))
            guard !bytes.isEmpty else { throw Reason(text: "\(name) became shorter while it was copied") }
            try await send(bytes, over: scp)
            offset += bytes.count
        }
        try await send([0], over: scp)
        try await expectAcknowledgement(scp)
    }

    private func sendRecord(_ kind: String, mode: UInt32, size: Int, name: String, _ scp: SCPChannel) async throws {
        guard !name.contains(where: \.isNewline) else {
            throw Reason(text: "SCP cannot copy a file with a line break in its name: \(name.debugDescription)")
        }
        let digits = String(mode & 0o777, radix: 8)
        let padding = String(repeating: "0", count: 4 - digits.count)
        try await send(Array("\(kind)\(padding)\(digits) \(size) \(name)\n".utf8), over: scp)
        try await expectAcknowledgement(scp)
    }

    // MARK: From the guest

    func receiveBySCP(_ path: String, to local: String) async throws {
        let scp = try await startSCP("scp -f \(dialect.quoted(path))", operation: "read \(path)")
        defer { scp.channel.free() }
        try await send([0], over: scp)
        switch try await receiveRecord(scp) {
        case .file(let mode, let size, _): try await receive(size, mode, to: local, scp)
        case .complaint(let text): throw GuestError.notTransferable("the guest could not read \(path): \(text)")
        default: throw GuestError.notTransferable("the guest could not read \(path): \(try await lastWords(scp))")
        }
    }

    func receiveTreeBySCP(_ pattern: String, isContents: Bool, into target: inout DownloadTarget) async throws {
        let word = try RemoteName.quotedPattern(pattern) + (isContents ? "/" : "")
        let scp = try await startSCP("scp -r -f \(word)", operation: "read \(pattern)")
        defer { scp.channel.free() }
        try await send([0], over: scp)
        // Where each open folder goes; nil for one of which only the contents are wanted.
        var folders: [String?] = []
        var complaints: [String] = []
        var count = 0
        func place(_ name: String) throws -> String {
            count += 1
            guard count <= RemoteName.mostEntries, folders.count <= RemoteName.deepest else {
                throw GuestError.notTransferable("the guest's folder does not end: \(pattern)")
            }
            guard let folder = folders.last ?? nil else { return try target.path(for: name) }
            try RemoteName.check(name)
            return folder + "/" + name
        }
        records: while true {
            switch try await receiveRecord(scp) {
            case .file(let mode, let size, let name):
                if isContents && folders.isEmpty {
                    throw GuestError.notTransferable("\(pattern) in the guest is not a folder")
                }
                try await receive(size, mode, to: try place(name), scp)
            case .folder(let mode, let name):
                if isContents && folders.isEmpty {
                    folders.append(nil)
                } else {
                    let path = try place(name)
                    try DownloadTarget.makeFolder(path, mode: mode)
                    folders.append(path)
                }
                try await send([0], over: scp)
            case .endOfFolder:
                guard folders.popLast() != nil else { throw SCPChannel.nonsense }
                try await send([0], over: scp)
            // What is neither file nor folder is left out.
            case .complaint(let text): if !text.hasSuffix("not a regular file") { complaints.append(text) }
            case .end: break records
            }
        }
        guard folders.isEmpty else { throw SCPChannel.nonsense }
        if complaints.isEmpty && count == 0 && target.isEmpty { complaints = [try await lastWords(scp)] }
        if let first = complaints.first {
            throw GuestError.notTransferable("the guest could not read \(pattern): \(first)")
        }
    }

    private func receive(_ size: Int, _ mode: UInt32, to local: String, _ scp: SCPChannel) async throws {
        let file = try PartialFile(local, mode: mode)
        try await send([0], over: scp)
        var offset = 0
        while offset < size {
            let bytes = try await receive(min(Self.piece, size - offset), scp)
            try file.write(bytes, at: offset)
            offset += bytes.count
        }
        try await expectAcknowledgement(scp)
        try file.commit()
        try await send([0], over: scp)
    }

    private final class FirstLine: @unchecked Sendable {
        private let lock = NSLock()
        private var line: String?
        func add(_ text: String) { lock.withLock { line = line ?? text } }
        var text: String? { lock.withLock { line } }
    }
}
