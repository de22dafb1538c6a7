import Scopes
import Subprocess
import SystemPackage

/// Runs an interactive program, which has this process's terminal until it ends.
///
/// - Throws: `BuildError` when it could not be started, `CancellationError` once it is gone.
package func runAtTerminal(
    _ executable: String, _ arguments: [String], environment: [String: String]
) async throws -> ProcessExit {
    let path = try locate(executable, environment: environment, workingDirectory: nil)
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
    let result = try await attempting("run \(executable)") {
        try await run(
            .path(FilePath(path)), arguments: Arguments(executablePathOverride: executable, remainingValues: arguments),
            environment: childEnvironment(environment), platformOptions: options,
            input: .fileDescriptor(.standardInput, closeAfterSpawningProcess: false),
            output: .fileDescriptor(.standardOutput, closeAfterSpawningProcess: false),
            error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false))
    }
    try Task.checkCancellation()
    return ProcessExit(result.terminationStatus)
}
