import Foundation
import Testing

/// A certificate authority, a server's certificate from it for 127.0.0.1, and an authority that has nothing to do with it.
///
/// Made by openssl once for all tests, in a folder that lives as long as the process.
struct FakeCertificates: Sendable {
    let folder: String
    /// SHA-256 of the server's certificate, as openssl shows it.
    let fingerprint: String

    var authority: String { folder + "/ca.pem" }
    var otherAuthority: String { folder + "/other.pem" }
    var certificate: String { folder + "/server.pem" }
    /// From the same authority, for another host.
    var foreignCertificate: String { folder + "/elsewhere.pem" }
    var key: String { folder + "/server.key" }

    static let made = Task { try await make() }

    private static func make() async throws -> FakeCertificates {
        let folder = NSTemporaryDirectory() + "ingot-proxmox-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        let script = """
            set -e
            cd '\(folder)'
            openssl req -x509 \(key) -keyout ca.key -out ca.pem -subj '/CN=Cluster Manager CA' -days 2
            openssl req -x509 \(key) -keyout other.key -out other.pem -subj '/CN=Somebody Else' -days 2
            openssl req \(key) -keyout server.key -out server.csr -subj /CN=pve
            printf 'subjectAltName=IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n' > extensions
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                -extfile extensions -out server.pem
            printf 'subjectAltName=DNS:elsewhere.example\\nbasicConstraints=CA:FALSE\\n' > extensions
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                -extfile extensions -out elsewhere.pem
            openssl x509 -in server.pem -noout -fingerprint -sha256 | sed 's/.*=//' > fingerprint
            """
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation { (end: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { end.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { end.resume(throwing: error) }
        }
        try #require(status == 0, "openssl made no certificates")
        let fingerprint = try String(contentsOfFile: folder + "/fingerprint", encoding: .utf8)
        return FakeCertificates(
            folder: folder, fingerprint: fingerprint.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
