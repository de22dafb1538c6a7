import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Scopes

/// Finds out what the medium at `url` must hash to; reads the list of checksums where the reference names one.
///
/// - Parameters:
///   - workingDirectory: Where relative paths start.
///   - environment: For the proxy variables.
/// - Returns: nil for `.none`.
package func resolveChecksum(
    _ reference: ChecksumReference, forURL url: String, workingDirectory: String, environment: [String: String] = [:]
) async throws -> Checksum? {
    switch reference {
    case .none: return nil
    case .digest(let type, let hex): return try Checksum(type: type, hex: hex)
    case .file(let list):
        let operation = "find the checksum of \(baseName(pathOfURL(url))) in \(withoutSecrets(list))"
        if pathOfURL(list).lowercased().hasSuffix(".iso") {
            throw BuildError(
                operation, because: "that is an ISO image, not a list of checksums",
                hint: "Name the file of checksums, such as SHA256SUMS, that lies beside the image.")
        }
        let text = try await attempting(operation) {
            try await checksumListText(list, operation, workingDirectory, environment)
        }
        let entries = ChecksumList(text)
        guard let found = entries.checksum(ofMediumAt: url, listAt: list) else {
            let names = entries.someNames
            throw BuildError(
                operation, because: "the list does not contain it",
                hint: names.isEmpty ? "No line of it is a checksum." : "It contains: \(names.joined(separator: ", ")).")
        }
        return found
    }
}

private func checksumListText(
    _ list: String, _ operation: String, _ workingDirectory: String, _ environment: [String: String]
) async throws -> String {
    if isRemote(list) {
        return try await withHTTPClient(for: list, environment) { client in
            let response = try await client.execute(try downloadRequest(list), timeout: .minutes(2))
            guard response.status == .ok else {
                throw BuildError(
                    operation, because: "the server answered \(response.status.code) \(response.status.reasonPhrase)")
            }
            let body = try await response.body.collect(upTo: ChecksumList.largest)
            return String(decoding: body.readableBytesView, as: UTF8.self)
        }
    }
    let file = try InputFile(absolutePath(list, in: workingDirectory), operation)
    guard file.size <= ChecksumList.largest else {
        throw BuildError(operation, because: "it is too long for a list of checksums")
    }
    var bytes: [UInt8] = []
    try await file.forEachPiece { bytes.append(contentsOf: $0) }
    return String(decoding: bytes, as: UTF8.self)
}
