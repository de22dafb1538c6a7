import ArgumentParser
import DataSources
import Pipeline
import Templates

/// Runs `body`, which evaluates a template and with it the data sources; Ctrl-C and SIGTERM stop it.
///
/// - Throws: What `body` throws, and the exit code of an interrupted command.
func runningDataSources<Value: Sendable>(
    of options: LoadOptions, _ body: @escaping @Sendable (any DataSourceRunner) async throws -> Value
) async throws -> Value {
    let runner = LocalDataSources(
        environment: options.environment, workingDirectory: options.workingDirectory,
        cacheDirectory: StateFolders(environment: options.environment).cache)
    let (result, signal) = try await Interruption().run(announce: { _ in
        writeError("Interrupted.")
    }) { () async -> Result<Value, any Error> in
        do { return .success(try await body(runner)) } catch { return .failure(error) }
    }
    if let signal { throw ExitCode(128 + signal) }
    return try result.get()
}
