import Crypto
package import Foundation
package import Scopes

/// Who asks AWS, and where: from the environment, else from `~/.aws/credentials` and `~/.aws/config`.
package struct AWSCredentials: Sendable {
    let region: String
    private let identifier: String
    private let secret: Sensitive<String>
    /// Of temporary credentials.
    private let sessionToken: Sensitive<String>?

    package init(region: String, identifier: String, secret: Sensitive<String>, sessionToken: Sensitive<String>? = nil)
    {
        self.region = region
        self.identifier = identifier
        self.secret = secret
        self.sessionToken = sessionToken
    }

    /// - Throws: `BuildError` when something is missing.
    init(_ stores: RemoteSecretStores, _ operation: String) throws {
        let profile = stores.variable("AWS_PROFILE") ?? "default"
        let shared = Self.section(profile, of: try stores.homeFile(".aws/credentials") ?? "")
        let settings = Self.section(
            profile == "default" ? profile : "profile " + profile, of: try stores.homeFile(".aws/config") ?? "")
        let identifier = stores.variable("AWS_ACCESS_KEY_ID")
        guard let known = identifier ?? shared["aws_access_key_id"],
            let secret = identifier == nil
                ? shared["aws_secret_access_key"] : stores.variable("AWS_SECRET_ACCESS_KEY")
        else {
            throw BuildError(
                operation, because: "there are no credentials",
                hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE of ~/.aws/credentials.")
        }
        guard
            let region = stores.variable("AWS_REGION") ?? stores.variable("AWS_DEFAULT_REGION") ?? settings["region"]
        else { throw BuildError(operation, because: "no region is set", hint: "Set AWS_REGION.") }
        self.init(
            region: region, identifier: known, secret: Sensitive(secret),
            sessionToken: identifier == nil
                ? shared["aws_session_token"].map { Sensitive($0) } : stores.secretVariable("AWS_SESSION_TOKEN"))
    }

    /// The lines `name = value` below `[name]`.
    private static func section(_ name: String, of text: String) -> [String: String] {
        var values: [String: String] = [:]
        var isInside = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("[") {
                isInside = line == "[\(name)]"
            } else if isInside, let equals = line.firstIndex(of: "=") {
                let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
                values[line[..<equals].trimmingCharacters(in: .whitespaces)] = value
            }
        }
        return values
    }

    /// The headers with those that prove who asks: Signature Version 4,
    /// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    ///
    /// - Parameter headers: `host` among them; names in lower case.
    package func sign(
        _ method: String, _ path: String, _ headers: [(String, String)], body: [UInt8], service: String, at date: Date
    ) -> [(String, String)] {
        var seconds = time_t(date.timeIntervalSince1970)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ number: Int32, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(number).count)) + String(number)
        }
        let day = digits(parts.tm_year + 1900, 4) + digits(parts.tm_mon + 1, 2) + digits(parts.tm_mday, 2)
        let stamp = "\(day)T\(digits(parts.tm_hour, 2))\(digits(parts.tm_min, 2))\(digits(parts.tm_sec, 2))Z"

        var headers = headers + [("x-amz-date", stamp)]
        if let sessionToken { headers.append(("x-amz-security-token", sessionToken.reveal())) }
        headers.sort { $0.0 < $1.0 }
        let names = headers.map(\.0).joined(separator: ";")
        let request = [
            method, path, "", headers.map { "\($0.0):\($0.1)\n" }.joined(), names, Self.hex(SHA256.hash(data: body)),
        ].joined(separator: "\n")
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let text = [
            "AWS4-HMAC-SHA256", stamp, scope, Self.hex(SHA256.hash(data: Array(request.utf8))),
        ].joined(separator: "\n")
        var key = SymmetricKey(data: Array("AWS4\(secret.reveal())".utf8))
        for word in [day, region, service, "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(word.utf8), using: key))
        }
        let signature = Self.hex(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
        let proof = "Credential=\(identifier)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
        return headers + [("authorization", "AWS4-HMAC-SHA256 " + proof)]
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
