import Foundation
import Scopes
import Subprocess
import SystemPackage

/// How a child process ended.
package enum ProcessExit: Sendable, Hashable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)

    init(_ status: TerminationStatus) {
        self =
            switch status {
            case .exited(let code): .code(code)
            case .signaled(let number): .signal(number)
            }
    }

    /// Whether the exit code is 0.
    package var isSuccess: Bool { self == .code(0) }

    /// The status as a shell reports it: 128 and the number for a signal.
    package var shellStatus: Int32 {
        switch self {
        case .code(let code): code
        case .signal(let number): 128 + number
        }
    }

    package var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let number): "signal \(number) (\(String(cString: strsignal(number))))"
        }
    }
}

/// Runs a program to its end and passes on its output line by line while it runs.
///
/// The child has a session of its own, so that Ctrl-C in the terminal reaches only Ingot, which then stops the child
/// cleanly: cancellation sends SIGTERM to the child and all its descendants, and SIGKILL once `grace` is over. The
/// child's standard input is empty. The call returns when the child has ended, even if a process that it left in the
/// background still holds its output.
///
/// - Parameters:
///   - executable: A path (with a slash; relative ones start in `workingDirectory`), or a name found in `PATH`.
///   - environment: All of the child's variables; nil passes on those of this process.
///   - lineBreaks: What ends a line. Lines longer than 64 KiB arrive in pieces; bytes that are not UTF-8, as U+FFFD.
///   - onOutput: Called in order for each stream; the order between the two streams is not defined.
/// - Throws: `BuildError` when the program could not be started, `CancellationError` once the child is gone.
package func runProcess(
    _ executable: String, _ arguments: [String], environment: [String: String]? = nil,
    workingDirectory: String? = nil, grace: Duration = .seconds(5), lineBreaks: LineBreaks = .newlines,
    onOutput: @escaping @Sendable (OutputLine) -> Void
) async throws -> ProcessExit {
    try Task.checkCancellation()
    let path = try locate(executable, environment: environment, workingDirectory: workingDirectory)
    if let unusable = ([path] + arguments).first(where: { $0.utf8.contains(0) }) {
        throw BuildError(
            "run \(executable)", because: "an argument contains a NUL character: \(unusable.debugDescription)")
    }
    var options = PlatformOptions()
    options.createSession = true
    options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: grace)]
    let status: TerminationStatus
    do {
        let result = try await run(
            .path(FilePath(path)), arguments: Arguments(executablePathOverride: executable, remainingValues: arguments),
            environment: childEnvironment(environment), workingDirectory: workingDirectory.map { FilePath($0) },
            platformOptions: options, input: .none, output: .sequence, error: .sequence
        ) { execution in
            let output = execution.standardOutput
            let errors = execution.standardError
            defer { endGroup(of: execution.processIdentifier.value) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await stream(errors, isError: true, lineBreaks, onOutput) }
                group.addTask { try await stream(output, isError: false, lineBreaks, onOutput) }
                try await group.waitForAll()
            }
        }
        status = result.terminationStatus
    } catch {
        try Task.checkCancellation()
        throw BuildError(
            "run \(executable)", because: "\(error)",
            hint: workingDirectory.map { "Its working directory was to be \($0)." })
    }
    try Task.checkCancellation()
    return ProcessExit(status)
}

/// Kills processes of a cancelled program that ignored SIGTERM. Call it before the program is reaped, so that its
/// process ID cannot have been reused.
func endGroup(of leader: pid_t) {
    if Task.isCancelled { kill(-leader, SIGKILL) }
}

private func stream(
    _ sequence: SubprocessOutputSequence, isError: Bool, _ lineBreaks: LineBreaks,
    _ onOutput: @Sendable (OutputLine) -> Void
) async throws {
    var splitter = LineSplitter(lineBreaks: lineBreaks)
    for try await buffer in sequence {
        let lines = buffer.withUnsafeBytes { splitter.add($0) }
        for line in lines { onOutput(OutputLine(text: line, isError: isError)) }
    }
    if let last = splitter.finish() { onOutput(OutputLine(text: last, isError: isError)) }
}

/// A program is in none of the folders of PATH: the underlying error of a `BuildError`.
package struct ProgramNotFound: Error, CustomStringConvertible {
    package init() {}
    package var description: String { "it is not in PATH" }
}

func childEnvironment(_ variables: [String: String]?) -> Environment {
    guard let variables else { return .inherit }
    let rows = variables.filter { !$0.key.isEmpty && !$0.key.utf8.contains(0) && !$0.value.utf8.contains(0) }
    return .custom(rows.map { Array("\($0.key)=\($0.value)\0".utf8) })
}

/// The file to run, found as a shell would find it, but in the child's PATH.
func locate(_ executable: String, environment: [String: String]?, workingDirectory: String?) throws -> String {
    let operation = "run \(executable.isEmpty ? "a program with an empty name" : executable)"
    if let workingDirectory {
        var status = stat()
        let isThere = stat(workingDirectory, &status) == 0
        guard isThere, status.st_mode & S_IFMT == S_IFDIR else {
            throw BuildError(
                operation,
                because: "its working directory, \(workingDirectory), "
                    + (isThere ? "is not a folder" : "cannot be found: \(String(cString: strerror(errno)))"))
        }
    }
    if executable.contains("/") {
        let path = executable.hasPrefix("/") ? executable : (workingDirectory.map { $0 + "/" } ?? "") + executable
        var status = stat()
        guard stat(path, &status) == 0 else { throw BuildError(operation, because: String(cString: strerror(errno))) }
        guard access(path, X_OK) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw BuildError(
                operation, because: "it is not an executable file", hint: "Make it executable: chmod +x \(path)")
        }
        return path
    }
    let variables = environment ?? ProcessInfo.processInfo.environment
    let folders = (variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
    for folder in folders where !executable.isEmpty {
        let path = "\(folder)/\(executable)"
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 { return path }
    }
    throw BuildError(
        operation: operation, hint: "Install it, or add its folder to PATH.", underlying: ProgramNotFound())
}
