package import Templates

/// Runs data sources on this machine.
package struct LocalDataSources: DataSourceRunner {
    /// Of the programs that are run, and for the proxy variables.
    let environment: [String: String]
    let workingDirectory: String
    /// Where keys are kept.
    let cacheDirectory: String
    let limits: Limits

    /// How long a data source may take, and how much it may give.
    package struct Limits: Sendable {
        package var http: Duration
        package var program: Duration
        package var git: Duration
        /// Bytes of an answer.
        package var size: Int

        package init(
            http: Duration = .seconds(300), program: Duration = .seconds(3600), git: Duration = .seconds(300),
            size: Int = 16 << 20
        ) {
            self.http = http
            self.program = program
            self.git = git
            self.size = size
        }
    }

    /// - Parameters:
    ///   - workingDirectory: Absolute; relative paths start there.
    ///   - cacheDirectory: Made when it is needed.
    package init(
        environment: [String: String], workingDirectory: String, cacheDirectory: String, limits: Limits = Limits()
    ) {
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.cacheDirectory = cacheDirectory
        self.limits = limits
    }

    package func run(_ request: DataSourceRequest) async throws -> DataSourceAnswer {
        switch request {
        case .http(let url, let method, let headers, let body): try await read(url, method, headers, body)
        case .external(let program, let directory, let query): try await external(program, directory, query)
        case .externalRaw(let program, let directory, let query): try await externalRaw(program, directory, query)
        case .hostInfo: HostInfo().answer
        case .gitCommit(let path, let revision): try await gitCommit(path, revision)
        case .gitRepository(let path): try await gitRepository(path)
        case .gitTree(let path, let revision): try await gitTree(path, revision)
        case .sshKey(let name, let type): try await sshKey(name, type)
        case .file(let destination, let contents, let force): try writeFile(destination, contents, force)
        }
    }

    func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        return path.isEmpty || path == "." ? workingDirectory : workingDirectory + "/" + path
    }
}
