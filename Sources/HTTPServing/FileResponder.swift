import Foundation
import Hummingbird
import NIOCore

/// Answers requests with the files that the template names and no others, in the way of Go's file server.
struct FileResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let content: HTTPContent
    let onRequest: @Sendable (HTTPRequestRecord) -> Void

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let answer = answer(to: request)
        let isBodiless = request.method == .head || answer.status == .notModified
        onRequest(
            HTTPRequestRecord(
                time: Date(), method: printable(request.method.rawValue), path: printable(request.uri.path),
                status: Int(answer.status.code), bytes: isBodiless ? 0 : answer.bytes))
        var headers = answer.headers
        if answer.status == .notModified {
            return Response(status: answer.status, headers: headers)
        }
        headers[.contentLength] = String(answer.bytes)
        let body = isBodiless ? ResponseBody(contentLength: answer.bytes) { _ in } : answer.body
        return Response(status: answer.status, headers: headers, body: body)
    }

    private func answer(to request: Request) -> Answer {
        guard request.method == .get || request.method == .head else {
            var refusal = Answer(.methodNotAllowed, text: "only GET and HEAD\n")
            refusal.headers[.allow] = "GET, HEAD"
            return refusal
        }
        guard let path = request.uri.path.removingPercentEncoding, !path.contains("\0") else {
            return Answer(.badRequest, text: "bad path\n")
        }
        switch content {
        case .content(let files): return content(path, files, request)
        case .directory(let root): return file(path, in: ServedFolder(root: root), request)
        }
    }

    private func content(_ path: String, _ files: [String: String], _ request: Request) -> Answer {
        guard let text = files[path] ?? files[cleaned(path)] else {
            let known = files.keys.sorted().joined(separator: "\n")
            return Answer(.notFound, text: "404: http_content has no \(printable(path)). It has:\n\(known)\n")
        }
        let bytes = Array(text.utf8)
        let served = ServedRepresentation(
            size: bytes.count, modified: nil, type: mediaType(path, beginning: { bytes.prefix(512) }))
        return served.answer(to: request) { range in ResponseBody(byteBuffer: ByteBuffer(bytes: bytes[range])) }
    }

    private func file(_ path: String, in folder: ServedFolder, _ request: Request) -> Answer {
        if path.hasSuffix("/index.html") { return redirect(to: "./", request) }
        do throws(ServedFolder.Refusal) {
            switch try folder.open(cleaned(path)) {
            case .file(let file):
                if path.hasSuffix("/") { return redirect(to: "../\(lastName(path))", request) }
                return answer(with: file, named: path, request)
            case .folder(let found):
                guard path.hasSuffix("/") else { return redirect(to: "\(lastName(path))/", request) }
                // An index that cannot be read is treated as missing.
                if case .file(let index)? = try? folder.open(cleaned(path + "index.html")) {
                    return answer(with: index, named: "index.html", request)
                }
                let text = try folder.listing(of: found)
                let served = ServedRepresentation(
                    size: text.utf8.count, modified: found.modified, type: "text/html; charset=utf-8")
                return served.answer(to: request) { range in
                    ResponseBody(byteBuffer: ByteBuffer(bytes: Array(text.utf8)[range]))
                }
            }
        } catch {
            switch error {
            case .missing: return Answer(.notFound, text: "404 page not found\n")
            case .forbidden: return Answer(.forbidden, text: "403 forbidden\n")
            case .leavesFolder:
                return Answer(.forbidden, text: "403 forbidden: the link leads out of the served folder\n")
            }
        }
    }

    private func answer(with file: ServedFile, named name: String, _ request: Request) -> Answer {
        let served = ServedRepresentation(
            size: file.size, modified: file.modified, type: mediaType(name, beginning: { file.beginning }))
        return served.answer(to: request) { range in file.body(range) }
    }

    /// Redirects to a path relative to the requested one, which cannot lead to another host.
    private func redirect(to path: String, _ request: Request) -> Answer {
        var answer = Answer(.movedPermanently)
        answer.headers[.location] = path + (request.uri.query.map { "?\($0)" } ?? "")
        return answer
    }

    private func lastName(_ path: String) -> String {
        pathEncoded(path.split(separator: "/").last.map(String.init) ?? "")
    }

    private func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(500).map { $0.isControl ? "?" : $0 }))
    }
}

/// A path without `.`, `..` and doubled slashes; `..` at the top stays at the top.
func cleaned(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
}

/// The answer to a request.
struct Answer {
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

extension Unicode.Scalar {
    /// Whether a terminal might interpret it as a control sequence.
    var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
