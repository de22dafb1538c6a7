import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import ProxmoxConfiguration
import Scopes

/// A file on its way to a storage.
package struct FileUpload: Sendable {
    /// On this machine.
    package var path: String
    /// On the storage.
    package var name: String
    /// `import`, `iso` or `vztmpl`.
    package var content: String
    /// Lower-case hex; the server checks it before it stores the file.
    package var sha256: String

    package init(path: String, name: String, content: String, sha256: String) {
        self.path = path
        self.name = name
        self.content = content
        self.sha256 = sha256
    }
}

extension ProxmoxClient {
    /// Sends a file; the server stores it in the task returned. A file of that name is overwritten.
    ///
    /// - Parameter progress: Called with the bytes sent so far and their total.
    package func startUpload(
        _ upload: FileUpload, to storage: String, on node: String,
        progress: @escaping @Sendable (_ sent: Int64, _ total: Int64) -> Void = { _, _ in }
    ) async throws -> UPID {
        var call = APICall(
            .POST, ["nodes", node, "storage", storage, "upload"], to: "upload \(upload.name) to the storage \(storage)",
            privileges: "`Datastore.AllocateTemplate` on `/storage/\(storage)`")
        call.limit = server.pace.uploadLimit
        guard upload.name.utf8.count <= 255, !upload.name.isEmpty,
            upload.name.utf8.allSatisfy({ Self.nameBytes.contains($0) })
        else {
            throw BuildError(
                call.operation, because: "the server would change the name",
                hint: "Use letters, digits, `-`, `_` and `.`, at most 255.")
        }
        let file: UploadedFile
        do { file = try UploadedFile(upload.path) } catch {
            throw BuildError(
                operation: call.operation, hint: "Check that \(upload.path) exists and can be read.", underlying: error)
        }
        // The server's reader is strict: fields in this order, the file last, no header but its name before it.
        let boundary = "ingot-" + Self.randomDigits(32)
        let fields = [("content", upload.content), ("checksum-algorithm", "sha256"), ("checksum", upload.sha256)]
        var head = ""
        for (name, value) in fields {
            head += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
        }
        head += "--\(boundary)\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"\(upload.name)\"\r\n"
        head += "Content-Type: application/octet-stream\r\n\r\n"
        let tail = "\r\n--\(boundary)--\r\n"
        var request = try await self.request(for: call)
        request.headers.add(name: "Content-Type", value: "multipart/form-data; boundary=\(boundary)")
        let body = MultipartBody(head: head, file: file, tail: tail, progress: progress)
        request.body = .stream(body, length: .known(file.size + Int64(head.utf8.count + tail.utf8.count)))
        let answer: JSONScalar? = try await perform(request, call, as: JSONScalar?.self)
        let operation = call.operation
        return try await attempting(operation, hint: "Check the server's version.") { try UPID(answer?.text ?? "") }
    }

    static func randomDigits(_ count: Int) -> String {
        String((0..<count).compactMap { _ in "0123456789abcdef".randomElement() })
    }

    private static let nameBytes = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-".utf8)
}

/// A file whose length is known and whose bytes are read piece by piece.
struct UploadedFile: Sendable {
    let path: String
    let size: Int64

    init(_ path: String) throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        guard attributes[.type] as? FileAttributeType == .typeRegular, let size = attributes[.size] as? Int64 else {
            throw Reason(text: "\(path) is not a regular file")
        }
        guard FileManager.default.isReadableFile(atPath: path) else { throw Reason(text: "\(path) cannot be read") }
        self.path = path
        self.size = size
    }

    /// The SHA-256 digest in lower-case hex; answers cancellation between pieces.
    @concurrent
    func sha256() async throws -> String {
        var hash = SHA256()
        let handle = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? handle.close() }  // Nothing was written.
        while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
            try Task.checkCancellation()
            hash.update(data: piece)
        }
        return hash.finalize().hex
    }
}

/// The parts of an upload, one after the other.
struct MultipartBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    let head: String
    let file: UploadedFile
    let tail: String
    let progress: @Sendable (Int64, Int64) -> Void

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncIteratorProtocol {
        let body: MultipartBody
        private enum Stage { case head, file(FileHandle), end }
        private var stage = Stage.head
        private var sent: Int64 = 0

        init(body: MultipartBody) { self.body = body }

        mutating func next() async throws -> ByteBuffer? {
            switch stage {
            case .head:
                stage = .file(try FileHandle(forReadingFrom: URL(filePath: body.file.path)))
                return ByteBuffer(string: body.head)
            case .file(let handle):
                let wanted = Int(Swift.min(1 << 18, body.file.size - sent))
                let piece = wanted > 0 ? try handle.read(upToCount: wanted) ?? Data() : Data()
                if piece.isEmpty {
                    stage = .end
                    try handle.close()
                    guard sent == body.file.size else {
                        throw Reason(text: "\(body.file.path) became shorter while it was sent")
                    }
                    return ByteBuffer(string: body.tail)
                }
                sent += Int64(piece.count)
                body.progress(sent, body.file.size)
                return ByteBuffer(bytes: piece)
            case .end: return nil
            }
        }
    }
}
