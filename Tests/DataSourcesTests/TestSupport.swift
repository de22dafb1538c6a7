import DataSources
import Diagnostics
import Foundation
import Glibc
import HCL
import Processes
import Scopes
import Templates

/// A folder that is gone after the test.
func withScratch<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = "/tmp/ingot-data-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }  // Left over is only rubbish.
    return try await body(path)
}

/// The variables of this process that a program needs.
let someEnvironment: [String: String] = [
    "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Grace",
    "GIT_COMMITTER_EMAIL": "grace@example.com", "GIT_AUTHOR_DATE": "1700000000 +0130",
    "GIT_COMMITTER_DATE": "1700000000 +0130",
]

func sources(
    in folder: String, environment: [String: String] = someEnvironment, limits: LocalDataSources.Limits = .init()
) -> LocalDataSources {
    LocalDataSources(
        environment: environment, workingDirectory: folder, cacheDirectory: folder + "/cache", limits: limits)
}

/// The words of what `body` threw.
func failure(_ body: () async throws -> some Sendable) async -> String {
    do {
        _ = try await body()
        return "nothing was thrown"
    } catch { return "\(error)" }
}
