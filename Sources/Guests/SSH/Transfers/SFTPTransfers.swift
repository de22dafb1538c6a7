import Foundation
import Guests
import Scopes

/// Files over SFTP, with so many requests under way that the line is never idle.
extension SSHConnection {
    /// What every server takes in one request.
    private static let piece = 32 << 10
    private static let mostUnderWay = 64

    func sendBySFTP(_ content: UploadContent, to path: String, mode: UInt32, _ sftp: SFTPChannel) async throws {
        let operation = "write \(path)"
        // 0x1A: write, create, truncate.
        let opening = sftp.request(.open) {
            $0.add(path.utf8)
            $0.add(UInt32(0x1A))
            $0.addMode(mode)
        }
        let handle = try await handle(opening, sftp, operation)
        var underWay: [UInt32] = []
        var offset = 0
        var isAtEnd = false
        do {
            while !isAtEnd || !underWay.isEmpty {
                while !isAtEnd && underWay.count < Self.mostUnderWay {
                    let bytes = try content.read(at: offset, most: Self.piece)
                    if bytes.isEmpty {
                        isAtEnd = true
                        underWay.append(sftp.request(.close) { $0.add(handle) })
                        // The mode given at opening is cut by the guest's umask.
                        underWay.append(
                            sftp.request(.setStatus) {
                                $0.add(path.utf8)
                                $0.addMode(mode)
                            })
                    } else {
                        underWay.append(
                            sftp.request(.write) {
                                $0.add(handle)
                                $0.add(UInt64(offset))
                                $0.add(bytes)
                            })
                        offset += bytes.count
                    }
                }
                try await expectOK(underWay.removeFirst(), sftp, operation)
            }
        } catch {
            sftp.forget(underWay)
            if !isAtEnd { close(handle, sftp) }
            throw error
        }
    }

    func receiveBySFTP(_ path: String, to local: String, _ sftp: SFTPChannel) async throws {
        let operation = "read \(path)"
        let opening = sftp.request(.open) {
            $0.add(path.utf8)
            $0.add(UInt32(1))
            $0.add(UInt32(0))
        }
        let handle = try await handle(opening, sftp, operation)
        defer { close(handle, sftp) }
        let status = try await reply(sftp.request(.fileStatus) { $0.add(handle) }, sftp, operation)
        guard case .attributes(let attributes) = status else { throw failure(operation, status) }
        guard attributes.isFile else { throw GuestError.notTransferable("\(path) in the guest is not a regular file") }
        let file = try PartialFile(local, mode: attributes.mode ?? 0o644)
        try await receive(handle, size: Int(clamping: attributes.size ?? 0), into: file, sftp, operation)
        try file.commit()
    }

    /// Files that do not tell their size, as in /proc, are read to their end, one request at a time.
    private func receive(
        _ handle: [UInt8], size: Int, into file: PartialFile, _ sftp: SFTPChannel, _ operation: String
    ) async throws {
        let end = size > 0 ? size : 64 << 20
        let mostUnderWay = size > 0 ? Self.mostUnderWay : 1
        var underWay: [(id: UInt32, offset: Int, length: Int)] = []
        func ask(_ offset: Int, _ length: Int) {
            let id = sftp.request(.read) {
                $0.add(handle)
                $0.add(UInt64(offset))
                $0.add(UInt32(length))
            }
            underWay.append((id, offset, length))
        }
        var offset = 0
        var hasEnded = false
        defer { sftp.forget(underWay.map(\.id)) }
        while true {
            while offset < end && underWay.count < mostUnderWay {
                let length = min(Self.piece, end - offset)
                ask(offset, length)
                offset += length
            }
            guard !underWay.isEmpty else { break }
            let piece = underWay.removeFirst()
            let reply = try await reply(piece.id, sftp, operation)
            switch reply {
            case .data(let bytes):
                guard !bytes.isEmpty, bytes.count <= piece.length else { throw failure(operation, reply) }
                try file.write(bytes, at: piece.offset)
                if bytes.count < piece.length { ask(piece.offset + bytes.count, piece.length - bytes.count) }
            // Shorter than it said; what is asked for beyond ends alike.
            case .status(SFTPReply.endOfFile): (offset, hasEnded) = (end, true)
            default: throw failure(operation, reply)
            }
        }
        if size == 0 && !hasEnded {
            throw GuestError.notTransferable("the guest could not \(operation): it does not end")
        }
    }
}
