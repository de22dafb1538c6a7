import Foundation
import Scopes
import Subprocess
import SystemPackage

/// The exit status and the output of a program.
package struct CapturedOutput: Sendable {
    /// How the program ended.
    package var exit: ProcessExit
    /// Standard output.
    package var output: [UInt8]
    /// The last lines of standard error.
    package var errors: [String]

    /// The last line that the program wrote to standard error; nil if it wrote none.
    package var complaint: String? {
        let lines = errors.filter { !$0.allSatisfy(\.isWhitespace) }.suffix(8)
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }
}

/// Runs a program to its end and returns all that it wrote to standard output.
///
/// - Parameters:
///   - input: The contents of the program's standard input. It need not read it.
///   - limit: The most bytes that it may write; more are an error.
///   - deadline: The longest it may run.
/// - Throws: `BuildError` when it could not be started, ran too long or wrote too much, `CancellationError` once it is gone.
package func captureProcess(
    _ executable: String, _ arguments: [String], environment: [String: String]? = nil,
    workingDirectory: String? = nil, input: [UInt8] = [], limit: Int = 16 << 20, deadline: Duration
) async throws -> CapturedOutput {
    let operation = "run \(executable)"
    do {
        return try await withDeadline(deadline, operation) {
            try await capture(executable, arguments, environment, workingDirectory, input, limit)
        }
    } catch let error as TimedOut {
        try Task.checkCancellation()
        throw BuildError(
            operation, because: "it was still running after \(error.limit.text)", hint: "It was stopped.")
    }
}

private struct TooMuch: Error {}

private func capture(
    _ executable: String, _ arguments: [String], _ environment: [String: String]?, _ workingDirectory: String?,
    _ input: [UInt8], _ limit: Int
) async throws -> CapturedOutput {
    try Task.checkCancellation()
    let operation = "run \(executable)"
    let path = try locate(executable, environment: environment, workingDirectory: workingDirectory)
    if ([path] + arguments).contains(where: { $0.utf8.contains(0) }) {
        throw BuildError(operation, because: "an argument contains a NUL character")
    }
    var options = PlatformOptions()
    options.createSession = true
    options.teardownSequence = [
        .gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2))
    ]
    let errors = OutputText()
    do {
        // A file instead of a pipe: writing to a program that does not read its input would fail.
        let source = try namelessFile(input, environment)
        let result = try await run(
            .path(FilePath(path)), arguments: Arguments(executablePathOverride: executable, remainingValues: arguments),
            environment: childEnvironment(environment), workingDirectory: workingDirectory.map { FilePath($0) },
            platformOptions: options, input: .fileDescriptor(source, closeAfterSpawningProcess: true),
            output: .sequence, error: .sequence
        ) { execution in
            defer { endGroup(of: execution.processIdentifier.value) }
            let output = execution.standardOutput
            let complaints = execution.standardError
            return try await withThrowingTaskGroup(of: [UInt8].self) { group in
                group.addTask {
                    var splitter = LineSplitter(lineBreaks: .newlines)
                    for try await buffer in complaints {
                        for line in buffer.withUnsafeBytes({ splitter.add($0) }) { errors.add(line) }
                    }
                    if let last = splitter.finish() { errors.add(last) }
                    return []
                }
                group.addTask {
                    var bytes: [UInt8] = []
                    for try await buffer in output {
                        buffer.withUnsafeBytes { bytes.append(contentsOf: $0) }
                        if bytes.count > limit { throw TooMuch() }
                    }
                    return bytes
                }
                var all: [UInt8] = []
                for try await bytes in group { all += bytes }
                return all
            }
        }
        try Task.checkCancellation()
        return CapturedOutput(
            exit: ProcessExit(result.terminationStatus), output: result.closureResult, errors: errors.lines)
    } catch is TooMuch {
        throw BuildError(operation, because: "it wrote more than \(limit >> 20) MiB", hint: "It was stopped.")
    } catch let error where !(error is BuildError) {
        try Task.checkCancellation()
        throw BuildError(
            operation, because: "\(error)", hint: workingDirectory.map { "Its working directory was to be \($0)." })
    }
}

/// A file without a name that contains the bytes, open for reading from the start.
private func namelessFile(_ bytes: [UInt8], _ environment: [String: String]?) throws -> FileDescriptor {
    if bytes.isEmpty { return try .open("/dev/null", .readOnly) }
    let variables = environment ?? ProcessInfo.processInfo.environment
    let folder = variables["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    let path = "\(folder)/ingot-input-\(UInt64.random(in: .min ... .max))"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw Reason(text: "\(path): \(String(cString: strerror(errno)))") }
    unlink(path)
    let file = FileDescriptor(rawValue: descriptor)
    do {
        try file.writeAll(bytes)
        lseek(descriptor, 0, SEEK_SET)
        return file
    } catch {
        try? file.close()  // The earlier error is the one to report.
        throw error
    }
}
