package import HCL

/// What a data source asks of the world outside the template. Relative paths start in the working directory.
package enum DataSourceRequest: Hashable, Sendable {
    case http(url: String, method: String, headers: [String: String], body: String)
    /// A program that reads the query as JSON and writes a JSON object of texts.
    case external(program: [String], workingDirectory: String, query: [String: String])
    /// A program that reads the query and writes its result, both as they are.
    case externalRaw(program: [String], workingDirectory: String, query: String)
    /// What this machine runs.
    case hostInfo
    case gitCommit(path: String, revision: String)
    case gitRepository(path: String)
    case gitTree(path: String, revision: String)
    /// A key that is kept in the cache; `type` is rsa or ed25519.
    case sshKey(name: String, type: String)
    /// A file to write; `force` replaces one that is there.
    case file(destination: String, contents: String, force: Bool)
}

/// What came of a request.
package struct DataSourceAnswer: Hashable, Sendable {
    /// The outputs of the data source, by name.
    package var outputs: [String: Value]
    /// What is worth knowing about them, each in one line.
    package var warnings: [String]

    package init(_ outputs: [String: Value], warnings: [String] = []) {
        self.outputs = outputs
        self.warnings = warnings
    }
}

/// Runs data sources.
package protocol DataSourceRunner: Sendable {
    /// Answers within a deadline of its own, or throws: `CancellationError`, or an error whose words can be shown (a `BuildError`
    /// with a hint, best).
    func run(_ request: DataSourceRequest) async throws -> DataSourceAnswer
}
