import Foundation
import Hummingbird
import NIOCore
import Synchronization

/// Answers requests with what the template names, as Go's file server does, and with nothing else.
struct FileResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let content: HTTPContent
    let onRequest: @Sendable (HTTPRequestRecord) -> Void

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let target = request.uri.path
        let answer = answer(to: request, target)
        onRequest(
            HTTPRequestRecord(
                time: Date(), method: request.method.rawValue, path: printable(target), status: Int(answer.status.code),
                bytes: request.method == .head ? 0 : answer.bytes))
        var headers = answer.headers
        headers[.contentLength] = String(answer.bytes)
        let body = request.method == .head ? ResponseBody(contentLength: answer.bytes) { _ in } : answer.body
        return Response(status: answer.status, headers: headers, body: body)
    }

    private struct Answer {
        var status: HTTPResponse.Status
        var headers = HTTPFields()
        var body = ResponseBody()
        var bytes = 0

        init(_ status: HTTPResponse.Status, text: String = "", type: String = "text/plain; charset=utf-8") {
            self.status = status
            headers[.contentType] = type
            body = ResponseBody(byteBuffer: ByteBuffer(string: text))
            bytes = text.utf8.count
        }
    }

    private func answer(to request: Request, _ target: String) -> Answer {
        guard request.method == .get || request.method == .head else {
            return Answer(.methodNotAllowed, text: "only GET and HEAD\n")
        }
        guard let path = target.removingPercentEncoding, !path.contains("\0") else {
            return Answer(.badRequest, text: "bad path\n")
        }
        switch content {
        case .content(let files): return content(path, files, request)
        case .directory(let root): return file(path, in: root, request)
        }
    }

    private func content(_ path: String, _ files: [String: String], _ request: Request) -> Answer {
        guard let text = files[path] else {
            let known = files.keys.sorted().joined(separator: "\n")
            return Answer(.notFound, text: "404: http_content has no \(path). It has:\n\(known)\n")
        }
        return ranged(request, total: text.utf8.count, type: mediaType(path)) { range in
            ResponseBody(byteBuffer: ByteBuffer(bytes: Array(text.utf8)[range]))
        }
    }

    private func file(_ path: String, in root: String, _ request: Request) -> Answer {
        let parts = path.split(separator: "/")
        guard !parts.contains("..") else { return Answer(.badRequest, text: "invalid URL path\n") }
        let full = ([root] + parts.map(String.init)).joined(separator: "/")
        // Links may point around inside the folder, and nowhere else.
        guard let real = resolved(full), let realRoot = resolved(root),
            real == realRoot || real.hasPrefix(realRoot + "/")
        else {
            return Answer(.notFound, text: "404 page not found\n")
        }
        var status = stat()
        guard stat(real, &status) == 0 else { return Answer(.notFound, text: "404 page not found\n") }
        if status.st_mode & S_IFMT == S_IFDIR { return folder(path, real, request) }
        guard status.st_mode & S_IFMT == S_IFREG else { return Answer(.forbidden, text: "403 forbidden\n") }
        if path.hasSuffix("/index.html") { return redirect(to: String(path.dropLast("index.html".count))) }
        guard access(real, R_OK) == 0 else { return Answer(.forbidden, text: "403 forbidden\n") }
        let size = Int(status.st_size)
        return ranged(request, total: size, type: mediaType(real)) { range in FileBody.body(real, range) }
    }

    private func folder(_ path: String, _ real: String, _ request: Request) -> Answer {
        guard path.hasSuffix("/") else { return redirect(to: path + "/") }
        if access(real + "/index.html", R_OK) == 0 {
            var status = stat()
            stat(real + "/index.html", &status)
            return ranged(request, total: Int(status.st_size), type: "text/html; charset=utf-8") { range in
                FileBody.body(real + "/index.html", range)
            }
        }
        // A folder that vanishes meanwhile lists as empty.
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: real)) ?? []).sorted()
        let lines = names.map { name in
            var status = stat()
            stat(real + "/" + name, &status)
            let shown = escaped(name) + (status.st_mode & S_IFMT == S_IFDIR ? "/" : "")
            return "<a href=\"\(shown)\">\(shown)</a>"
        }
        return Answer(.ok, text: "<pre>\n\(lines.joined(separator: "\n"))\n</pre>\n", type: "text/html; charset=utf-8")
    }

    private func redirect(to path: String) -> Answer {
        var answer = Answer(.movedPermanently)
        answer.headers[.location] = path
        return answer
    }

    /// The whole, or the one range that is asked for.
    private func ranged(_ request: Request, total: Int, type: String, _ body: (Range<Int>) -> ResponseBody) -> Answer {
        var answer = Answer(.ok, type: type)
        answer.headers[.acceptRanges] = "bytes"
        var range = 0..<total
        if let header = request.headers[.range], let asked = byteRange(header, total) {
            guard !asked.isEmpty || total == 0 else {
                var refused = Answer(.rangeNotSatisfiable)
                refused.headers[.contentRange] = "bytes */\(total)"
                return refused
            }
            range = asked
            answer.status = .partialContent
            answer.headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(total)"
        }
        answer.body = body(range)
        answer.bytes = range.count
        return answer
    }

    /// `bytes=A-B`, `bytes=A-`, `bytes=-N`; nil for what is not one range, an empty one when it lies outside.
    private func byteRange(_ header: String, _ total: Int) -> Range<Int>? {
        guard header.hasPrefix("bytes="), !header.contains(",") else { return nil }
        let parts = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        if parts[0].isEmpty {
            guard let count = Int(parts[1]), count >= 0 else { return nil }
            return max(0, total - count)..<total
        }
        guard let start = Int(parts[0]), start >= 0 else { return nil }
        guard start < total else { return 0..<0 }
        if parts[1].isEmpty { return start..<total }
        guard let end = Int(parts[1]), end >= start else { return nil }
        return start..<min(total, end &+ 1)
    }

    private func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private func mediaType(_ path: String) -> String {
        let types = [
            "html": "text/html; charset=utf-8", "htm": "text/html; charset=utf-8", "json": "application/json",
            "xml": "text/xml; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
            "png": "image/png", "gz": "application/gzip", "iso": "application/octet-stream", "zip": "application/zip",
        ]
        let ending = path.split(separator: "/").last?.split(separator: ".").dropFirst().last.map(String.init) ?? ""
        return types[ending.lowercased()] ?? "text/plain; charset=utf-8"
    }

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
            "\"", with: "&quot;")
    }

    private func printable(_ text: String) -> String {
        String(
            text.prefix(500).map { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } ? $0 : "?" })
    }
}

/// A part of a file as a body, read piece by piece.
enum FileBody {
    private static let piece = 256 << 10

    static func body(_ path: String, _ range: Range<Int>) -> ResponseBody {
        ResponseBody(contentLength: range.count) { writer in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw HTTPError(.forbidden) }
            defer { close(descriptor) }
            var offset = range.lowerBound
            while offset < range.upperBound {
                var buffer = ByteBuffer()
                let wanted = min(piece, range.upperBound - offset)
                let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
                    max(0, pread(descriptor, bytes.baseAddress, wanted, off_t(offset)))
                }
                // A file that shrinks while it is read ends the connection short of its length.
                guard count > 0 else { throw HTTPError(.internalServerError) }
                offset += count
                try await writer.write(buffer)
            }
            try await writer.finish(nil)
        }
    }
}
