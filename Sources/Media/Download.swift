import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Scopes

/// The download of one URL into a partial file beside its target, which becomes the target once it is whole and right.
struct Download: Sendable {
    /// Connections without a single new byte before the URL is given up.
    private static let fruitlessTries = 3

    let request: MediumRequest
    let path: String
    let environment: [String: String]
    let onEvent: @Sendable (MediaEvent) -> Void

    private var operation: String { "download \(withoutSecrets(request.url))" }

    func run() async throws {
        try await withHTTPClient(for: request.url, environment) { client in
            let partial = try PartialFile(path: path + ".part", checksum: request.checksum, operation)
            try await resume(partial)
            // A wrong partial file of an earlier run spoils a right rest: once more, from the start.
            let wasResumed = partial.size > 0
            try await receive(partial, client)
            if try await !isRight(partial) {
                let actual = partial.hex()
                try partial.restart()
                if wasResumed {
                    try await receive(partial, client)
                    if try await isRight(partial) { return try partial.commit(to: path) }
                }
                partial.remove()
                if let checksum = request.checksum {
                    throw mismatch(
                        operation, checksum, wasResumed ? partial.hex() : actual, "What was downloaded is deleted.")
                }
            }
            try partial.commit(to: path)
        }
    }

    /// Keeps what an earlier download left, where it can be trusted to be the beginning of this one: with a checksum
    /// the whole is verified anyway; without, the server must say by its validator that the file is still the same.
    private func resume(_ partial: PartialFile) async throws {
        if request.checksum == nil && partial.source?.url != withoutSecrets(request.url) { try partial.restart() }
        if request.checksum == nil && partial.source?.validator == nil { try partial.restart() }
        try await partial.digestExisting()
    }

    private func isRight(_ partial: PartialFile) async throws -> Bool {
        guard let checksum = request.checksum else { return true }
        return partial.hex() == checksum.hex
    }

    /// Gets all that is missing; picks up broken connections where they broke.
    private func receive(_ partial: PartialFile, _ client: HTTPClient) async throws {
        var fruitless = 0
        while true {
            let before = partial.size
            do { return try await receiveOnce(partial, client) } catch {
                if Task.isCancelled { throw CancellationError() }
                if error is BuildError || error is CancellationError { throw error }
                fruitless = partial.size > before ? 0 : fruitless + 1
                guard fruitless < Self.fruitlessTries else {
                    throw BuildError(
                        operation, because: explained(error), hint: "What arrived is kept and will be resumed.")
                }
                try await Task.sleep(for: .milliseconds(300 * (fruitless + 1)))
            }
        }
    }

    private func receiveOnce(_ partial: PartialFile, _ client: HTTPClient) async throws {
        var query = try attemptingURL { try downloadRequest(request.url) }
        if partial.size > 0 {
            query.headers.add(name: "Range", value: "bytes=\(partial.size)-")
            if let source = partial.source, source.url == withoutSecrets(request.url), let validator = source.validator
            {
                query.headers.add(name: "If-Range", value: validator)
            }
        }
        let response = try await client.execute(query, deadline: .distantFuture)
        let length = response.headers.first(name: "Content-Length").flatMap { Int64($0) }
        switch response.status {
        case .ok: try partial.restart()
        case .partialContent where startOfRange(response) == partial.size && partial.size > 0: break
        case .partialContent, .rangeNotSatisfiable:
            let isComplete = response.status == .rangeNotSatisfiable && request.checksum?.hex == partial.hex()
            if isComplete { return }
            guard partial.size > 0 else { throw refused(response.status) }
            try partial.restart()
            return try await receiveOnce(partial, client)
        case .requestTimeout, .tooManyRequests, .internalServerError, .badGateway, .serviceUnavailable, .gatewayTimeout:
            throw Reason(text: "the server answered \(response.status.code) \(response.status.reasonPhrase)")
        default: throw refused(response.status)
        }
        partial.remember(url: request.url, validator: validator(of: response))
        let total = length.flatMap { $0 >= 0 ? partial.size.addingReportingOverflow($0).partialValue : nil }
        if let length { try checkRoom(for: length) }
        onEvent(.received(bytes: partial.size, total: total))
        for try await piece in response.body {
            try Task.checkCancellation()
            try partial.append(piece)
            onEvent(.received(bytes: partial.size, total: total))
        }
        if let total, partial.size < total { throw Reason(text: "the connection ended early") }
    }

    /// The size that the server has, without downloading; nil where it does not report it or cannot be reached.
    func remoteSize() async throws -> Int64? {
        let query = try attemptingURL { try downloadRequest(request.url, method: .HEAD) }
        do {
            return try await withHTTPClient(for: request.url, environment) { client in
                let response = try await client.execute(query, timeout: .seconds(60))
                guard response.status == .ok else { return nil }
                return response.headers.first(name: "Content-Length").flatMap { Int64($0) }
            }
        } catch {
            try Task.checkCancellation()
            return nil
        }
    }

    private func attemptingURL<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw BuildError(operation: operation, underlying: error) }
    }

    private func startOfRange(_ response: HTTPClientResponse) -> Int64? {
        guard let header = response.headers.first(name: "Content-Range"), header.hasPrefix("bytes ") else { return nil }
        return Int64(header.dropFirst(6).prefix { $0 != "-" })
    }

    /// A strong entity tag, or the date of the last change (RFC 9110, 13.1.5).
    private func validator(of response: HTTPClientResponse) -> String? {
        if let tag = response.headers.first(name: "ETag"), !tag.hasPrefix("W/") { return tag }
        return response.headers.first(name: "Last-Modified")
    }

    private func refused(_ status: HTTPResponseStatus) -> BuildError {
        let hint =
            switch status {
            case .notFound, .gone: "It may have been replaced by a newer version: look at the folder above it."
            case .unauthorized, .forbidden: "The server wants a login, or refuses this machine."
            default: "Try the URL in a browser."
            }
        return BuildError(operation, because: "the server answered \(status.code) \(status.reasonPhrase)", hint: hint)
    }

    private func checkRoom(for length: Int64) throws {
        var status = statvfs()
        guard length > 0, statvfs(parentFolder(path), &status) == 0 else { return }
        let (free, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        guard !overflow, free < UInt64(length) else { return }
        throw noRoom(operation, parentFolder(path), "\(length >> 20) MiB are missing, \(free >> 20) MiB are free")
    }

    private func explained(_ error: any Error) -> String {
        guard let error = error as? HTTPClientError else { return "\(error)" }
        switch error {
        case .connectTimeout: return "the server cannot be reached"
        case .readTimeout: return "the server fell silent"
        case .remoteConnectionClosed: return "the server closed the connection"
        default: return error.shortDescription
        }
    }
}

func noRoom(_ operation: String, _ folder: String, _ detail: String) -> BuildError {
    BuildError(
        operation, because: "no room on \(folder): \(detail)", hint: "Free some space, or set another cache folder.")
}
