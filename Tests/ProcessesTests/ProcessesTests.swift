import Foundation
import Processes
import Scopes
import Synchronization
import Testing

/// Lines as they come, from any thread.
private final class Lines: Sendable {
    private let kept = Mutex<[OutputLine]>([])
    private let stream: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: String.self) }

    func add(_ line: OutputLine) {
        kept.withLock { $0.append(line) }
        continuation.yield(line.text)
    }

    func texts(isError: Bool = false) -> [String] { kept.withLock { $0.filter { $0.isError == isError }.map(\.text) } }

    func first() async -> String? {
        for await line in stream { return line }
        return nil
    }
}

private func shell(
    _ script: String, environment: [String: String]? = nil, workingDirectory: String? = nil,
    lineBreaks: LineBreaks = .newlines
) async throws -> (exit: ProcessExit, lines: Lines) {
    let lines = Lines()
    let exit = try await runProcess(
        "/bin/sh", ["-c", script], environment: environment, workingDirectory: workingDirectory, lineBreaks: lineBreaks
    ) { lines.add($0) }
    return (exit, lines)
}

private func message(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return ""
    } catch { return "\(error)" }
}

private func isAlive(_ pid: Int32) -> Bool {
    guard let state = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return false }
    // A zombie that its new parent has not collected yet is dead, too.
    return !String(decoding: state, as: UTF8.self).contains(") Z ")
}

@Suite struct ProcessesTests {
    @Test("both streams arrive line by line, the last one without a line break, too")
    func streams() async throws {
        let (exit, lines) = try await shell("echo one; echo oops >&2; printf 'two\\r\\n'; echo; printf three")
        #expect(exit == .code(0))
        #expect(lines.texts() == ["one", "two", "", "three"])
        #expect(lines.texts(isError: true) == ["oops"])
    }

    @Test("nothing of a long output is lost, whoever ends first")
    func longOutput() async throws {
        let (_, lines) = try await shell("seq 1 50000; seq 1 20000 >&2")
        #expect(lines.texts() == (1...50000).map(String.init))
        #expect(lines.texts(isError: true).count == 20000)
    }

    @Test("a line without an end arrives in pieces of bounded length")
    func boundedLines() async throws {
        let (_, lines) = try await shell("head -c 200000 /dev/zero | tr '\\0' x; echo; echo end")
        let texts = lines.texts()
        #expect(texts.last == "end")
        #expect(texts.dropLast().joined().count == 200_000)
        #expect(texts.allSatisfy { $0.utf8.count <= 65536 })
    }

    @Test("a carriage return overwrites, or ends a line where the caller says so")
    func carriageReturns() async throws {
        let script = "printf '10%%\\r20%%\\r30%%\\n'"
        #expect(try await shell(script).lines.texts() == ["30%"])
        #expect(
            try await shell(script, lineBreaks: .newlinesAndCarriageReturns).lines.texts() == ["10%", "20%", "30%"])
    }

    @Test("exit codes and signals are distinguished")
    func exits() async throws {
        #expect(try await shell("exit 7").exit == .code(7))
        #expect(try await shell("kill -9 $$").exit == .signal(9))
        #expect("\(ProcessExit.signal(15))".contains("Terminated"))
    }

    @Test("the child has exactly the environment and the folder it is given, and a session of its own")
    func surroundings() async throws {
        let (_, lines) = try await shell(
            "pwd; echo \"$A-$HOME\"; ps -o sid= -p $$ | tr -d ' '; echo $$",
            environment: ["A": "b c", "PATH": "/usr/bin:/bin"], workingDirectory: "/usr")
        let texts = lines.texts()
        #expect(texts.prefix(2) == ["/usr", "b c-"])
        #expect(texts.count == 4 && texts[2] == texts[3])
    }

    @Test("a missing program and one that cannot be run have different errors")
    func unusable() async throws {
        let missing = await message { _ = try await runProcess("no-such-program-here", []) { _ in } }
        #expect(missing.contains("it is not in PATH"))
        let path = await message { _ = try await runProcess("/no/such", []) { _ in } }
        #expect(path.contains("No such file"))
        let plain = await message { _ = try await runProcess("/etc/passwd", []) { _ in } }
        #expect(plain.contains("not an executable file"))
        let folder = await message { _ = try await runProcess("/bin/true", [], workingDirectory: "/no/where") { _ in } }
        #expect(folder.contains("/no/where"))
    }

    @Test("a name is found in the PATH that the child gets")
    func search() async throws {
        let exit = try await runProcess("true", [], environment: ["PATH": "/nowhere:/bin"]) { _ in }
        #expect(exit.isSuccess)
        let elsewhere = await message {
            _ = try await runProcess("true", [], environment: ["PATH": "/nowhere"]) { _ in }
        }
        #expect(elsewhere.contains("it is not in PATH"))
    }

    @Test("cancelling ends the child and all it started, even what ignores SIGTERM")
    func cancellation() async throws {
        let lines = Lines()
        let task = Task {
            try await runProcess(
                "/bin/sh", ["-c", "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $$ $!; wait"],
                grace: .milliseconds(200)
            ) { lines.add($0) }
        }
        let pids = (await lines.first() ?? "").split(separator: " ").compactMap { Int32($0) }
        #expect(pids.count == 2 && pids.allSatisfy(isAlive))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // The kernel ends a killed process in its own time.
        let gone = try? await poll("waiting for the end", every: .milliseconds(20), limit: .seconds(10)) {
            pids.contains(where: isAlive) ? nil : true
        }
        #expect(gone == true)
    }

    @Test("what a child leaves in the background with its output does not hold up the call")
    func background() async throws {
        let (exit, lines) = try await shell("sleep 300 & echo $!; exit 3")
        #expect(exit == .code(3))
        if let pid = lines.texts().first.flatMap({ Int32($0) }) { kill(pid, SIGKILL) }
    }
}
