import Foundation
import ProxmoxConfiguration
import Synchronization

extension FakeCluster {
    /// What happens with a request: an answer, or one of the faults.
    enum Outcome: Sendable {
        case reply(FakeReply)
        case silence
        case cut
    }

    /// Whether a request is to be cut off before its end; asked when its head has come.
    func cutsOff(_ method: String, _ path: String) -> Bool {
        state.withLock { state in
            guard let (call, _, _) = Self.find(method, path), call.name == "upload" else { return false }
            let next = state.counts[call.name, default: 0] + 1
            return state.faults.contains { $0.call == call.name && $0.fault == .cut && ($0.occurrence ?? next) == next }
        }
    }

    func answer(_ request: FakeRequest) -> Outcome {
        state.withLock { state in
            state.tick()
            guard let (call, values, format) = Self.find(request.method, request.path) else {
                return .reply(
                    FakeReply(status: 501, reason: "Method '\(request.method) \(request.path)' not implemented"))
            }
            state.counts[call.name, default: 0] += 1
            state.calls.append(call.name)
            let count = state.counts[call.name] ?? 0
            let fault = state.faults.first { $0.call == call.name && ($0.occurrence ?? count) == count }?.fault
            switch fault {
            case .hang: return .silence
            case .cut: return .cut
            case .garbage: return .reply(FakeReply(body: Data("<html>It works!</html>".utf8)))
            case .refuse(let status, let words):
                // Statuses of proxies come without a body of the API.
                if [401, 502, 503, 595].contains(status) { return .reply(FakeReply(status: status, reason: words)) }
                return .reply(Self.reply(format, .failure(FakeRefusal(status: status, message: words))))
            case nil, .doAndCut, .doAndHang: break
            }
            let result = Result { try state.perform(call, values, request) }
            if fault == .doAndCut { return .cut }
            if fault == .doAndHang { return .silence }
            if case .failure(let refusal as FakeRefusal) = result, refusal.status == 401 {
                return .reply(FakeReply(status: 401, reason: refusal.message))
            }
            return .reply(Self.reply(format, result))
        }
    }

    private static func find(_ method: String, _ path: String) -> (FakeCall, [String: String], String)? {
        let parts = path.split(separator: "/").map { $0.removingPercentEncoding ?? "" }
        guard parts.count > 2, parts[0] == "api2", ["json", "extjs"].contains(parts[1]) else { return nil }
        for call in FakeSchema.calls where call.method == method {
            if let values = call.match(Array(parts.dropFirst(2))) { return (call, values, parts[1]) }
        }
        return nil
    }

    private static func reply(_ format: String, _ result: Result<Any, any Error>) -> FakeReply {
        var answer: [String: Any] = [:]
        var reply = FakeReply()
        switch result {
        case .success(let value):
            answer["data"] = value
            if format == "extjs" { answer["success"] = 1 }
        case .failure(let error):
            let refusal = error as? FakeRefusal ?? FakeRefusal(status: 500, message: "\(error)")
            answer["data"] = NSNull()
            answer["message"] = refusal.message + "\n"
            if !refusal.errors.isEmpty { answer["errors"] = refusal.errors }
            if format == "extjs" {
                answer["success"] = 0
                answer["status"] = refusal.status
            } else {
                reply.status = refusal.status
                reply.reason = refusal.message
            }
        }
        reply.body = (try? JSONSerialization.data(withJSONObject: answer)) ?? Data()
        return reply
    }
}

extension FakeCluster.State {
    /// Signs the caller in, checks the call against the schema and the privileges, and does it.
    mutating func perform(_ call: FakeCall, _ values: [String: String], _ request: FakeRequest) throws -> Any {
        let user = try call.name == "ticket" ? "" : signedIn(request)
        var fields = formFields(request.query)
        if call.name == "upload" {
            fields.merge(try multipartFields(request)) { $1 }
        } else if !request.body.isEmpty {
            guard request.headers["content-type"] == "application/x-www-form-urlencoded" else {
                throw FakeRefusal(status: 506, message: "upload 'Content-Type' not implemented")
            }
            guard request.body.count <= 512 << 10 else { throw FakeRefusal(status: 501, message: "for data too large") }
            fields.merge(formFields(String(decoding: request.body, as: UTF8.self))) { $1 }
        }
        var checked = fields
        checked["\u{0}file"] = nil
        try versioned(call).checkParameters(checked)
        if let node = values["node"], nodes[node] == nil {
            throw FakeRefusal(status: 500, message: "hostname lookup '\(node)' failed - failed to get address info")
        }
        if let check = call.check {
            var path = check.path
            for (name, value) in values { path = path.replacing("{\(name)}", with: value) }
            try require(check.anyOf, on: path)
        }
        return try answer(call.name, values, fields, user)
    }

    /// What older versions do not know.
    private func versioned(_ call: FakeCall) -> FakeCall {
        var call = call
        let parts = version.split(separator: ".").compactMap { Int($0) }
        let number = (parts.first ?? 0) * 100 + (parts.dropFirst().first ?? 0)
        if number < 800 { call.parameters["ciupgrade"] = nil }
        if number < 804, call.name == "upload" { call.parameters["content"] = .choice(["iso", "vztmpl"]) }
        return call
    }

    private func signedIn(_ request: FakeRequest) throws -> String {
        if let header = request.headers["authorization"] {
            let prefix = "PVEAPIToken="
            guard header.hasPrefix(prefix), let equals = header.lastIndex(of: "=") else {
                throw FakeRefusal(status: 401, message: "No ticket")
            }
            let id = String(header[header.index(header.startIndex, offsetBy: prefix.count)..<equals])
            guard secrets[id] == String(header[header.index(after: equals)...]), id.contains("!") else {
                throw FakeRefusal(status: 401, message: "invalid token value!")
            }
            return id
        }
        let cookie = request.headers["cookie"]?.split(separator: "=", maxSplits: 1).last ?? ""
        // Proxmox VE decodes percent signs; other servers and proxies don't, so a ticket must come as it was given.
        let ticket = String(cookie)
        guard tickets.contains(ticket) else {
            throw FakeRefusal(status: 401, message: "No ticket")
        }
        if request.method != "GET", request.headers["csrfpreventiontoken"] != "csrf:" + ticket {
            throw FakeRefusal(status: 401, message: "Permission denied - invalid csrf token")
        }
        return String(ticket.split(separator: ":").dropFirst().first ?? "")
    }

    /// Reads an upload as strictly as the real server: the fields in their order, the file last.
    private func multipartFields(_ request: FakeRequest) throws -> [String: String] {
        guard let type = request.headers["content-type"], type.hasPrefix("multipart/form-data; boundary=") else {
            throw FakeRefusal.died("upload 'Content-Type' not implemented")
        }
        let line = Data("--".utf8) + Data(type.dropFirst("multipart/form-data; boundary=".count).utf8)
        var rest = request.body
        func cut(through mark: Data) throws -> Data {
            guard let range = rest.range(of: mark) else { throw FakeRefusal.died("upload failed") }
            defer { rest = Data(rest[range.upperBound...]) }
            return Data(rest[..<range.lowerBound])
        }
        var fields: [String: String] = [:]
        let newline = Data("\r\n".utf8)
        for name in ["content", "checksum-algorithm", "checksum"] {
            let opening = line + newline + Data("Content-Disposition: form-data; name=\"\(name)\"\r\n\r\n".utf8)
            guard rest.starts(with: opening) else { continue }
            rest = Data(rest.dropFirst(opening.count))
            fields[name] = String(decoding: try cut(through: newline), as: UTF8.self)
        }
        let opening = line + newline + Data("Content-Disposition: form-data; name=\"filename\"; filename=\"".utf8)
        guard rest.starts(with: opening) else { throw FakeRefusal.died("wrong field name for file upload") }
        rest = Data(rest.dropFirst(opening.count))
        fields["filename"] = String(decoding: try cut(through: Data("\"".utf8)), as: UTF8.self)
        _ = try cut(through: newline + newline)
        // Latin 1 keeps every byte.
        fields["\u{0}file"] = String(data: try cut(through: newline + line + Data("--".utf8)), encoding: .isoLatin1)
        return fields
    }
}
