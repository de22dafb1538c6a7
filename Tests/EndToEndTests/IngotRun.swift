import Foundation
import Processes
import Synchronization

/// One run of the `ingot` program, as a user starts it, in a folder of its own.
struct IngotRun {
    var status: Int32
    /// Standard output and standard error, as they came.
    var output: String
    var seconds: Double

    /// The program beside the test bundle.
    static let program: String = {
        let beside = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        if let named = ProcessInfo.processInfo.environment["INGOT"] { return named }
        let candidates = [beside.path] + ["release", "debug"].map { packageFolder + "/.build/" + $0 }
        return candidates.map { $0 + "/ingot" }.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "ingot"
    }()

    static let packageFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
}

/// A running `ingot`, for tests that interfere with it.
final class RunningIngot: @unchecked Sendable {
    private let process = Process()
    private let outputPath: String
    /// What is typed; nil where nobody sits at a terminal.
    private let keyboard: FileHandle?
    private let started = Date()

    /// - Parameters:
    ///   - folder: The working directory; run folders and caches go below it too.
    ///   - atTerminal: The program has a terminal, at which a test can `type`; the process is that of `script` then.
    init(
        _ arguments: [String], in folder: String, environment: [String: String] = [:], atTerminal: Bool = false
    ) throws {
        outputPath = folder + "/output-\(UUID().uuidString).log"
        try Data().write(to: URL(filePath: outputPath))
        guard let file = FileHandle(forWritingAtPath: outputPath) else { throw CocoaError(.fileWriteUnknown) }
        let pipe = atTerminal ? Pipe() : nil
        keyboard = pipe?.fileHandleForWriting
        process.executableURL = URL(filePath: atTerminal ? "/usr/bin/script" : IngotRun.program)
        process.arguments = arguments
        if atTerminal {
            let words = ([IngotRun.program] + arguments).map { "'" + $0.replacing("'", with: "'\\''") + "'" }
            process.arguments = ["-qfec", words.joined(separator: " "), "/dev/null"]
        }
        process.currentDirectoryURL = URL(filePath: folder)
        var all = ProcessInfo.processInfo.environment
        all["XDG_STATE_HOME"] = folder + "/state"
        all["XDG_CACHE_HOME"] = folder + "/cache"
        // There checkpoints are off unless asked for, and tests are run there, too.
        all["CI"] = nil
        all.merge(environment) { $1 }
        process.environment = all
        process.standardOutput = file
        process.standardError = file
        process.standardInput = pipe ?? FileHandle.nullDevice
        try process.run()
    }

    var pid: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }
    var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }

    func type(_ text: String) throws {
        // A program that has ended is told by what it lacks.
        signal(SIGPIPE, SIG_IGN)
        try keyboard?.write(contentsOf: Data(text.utf8))
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits until the output contains a text so many times; false when the program ends or 4 minutes pass before.
    func waitFor(_ text: String, times: Int = 1) async throws -> Bool {
        for _ in 0..<2400 {
            if output.count(of: text) >= times { return true }
            if !process.isRunning { return output.count(of: text) >= times }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    /// Waits for the end; a program that hangs for `minutes` is killed and shows as status 9.
    func finish(minutes: Int = 6) async throws -> IngotRun {
        for _ in 0..<(minutes * 3000) where process.isRunning {
            try await Task.sleep(for: .milliseconds(20))
        }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return IngotRun(
            status: process.terminationStatus, output: output, seconds: Date().timeIntervalSince(started))
    }
}

extension String {
    /// How often a text occurs.
    func count(of text: String) -> Int { components(separatedBy: text).count - 1 }
}

/// A folder that is removed with everything in it when the test is done.
final class Workbench {
    let path: String

    init(_ path: String? = nil) throws {
        self.path =
            path ?? NSTemporaryDirectory() + "ingot-test-" + UUID().uuidString.prefix(8).lowercased()
        let path = self.path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
        let target = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: URL(filePath: target).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try text.write(toFile: target, atomically: true, encoding: .utf8)
    }

    func read(_ name: String) throws -> String {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

    /// What is in a folder of the bench, hidden ones too.
    func files(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path + "/" + folder)) ?? []).sorted()
    }

    /// What is in the folder, hidden ones too.
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    /// The run folder of the only build, from the bench on.
    var runFolder: String? {
        let runs = "state/ingot/runs"
        return (try? FileManager.default.contentsOfDirectory(atPath: path + "/" + runs))?.first.map { runs + "/" + $0 }
    }

    func ingot(_ arguments: String..., environment: [String: String] = [:]) async throws -> IngotRun {
        try await RunningIngot(arguments, in: path, environment: environment).finish()
    }
}

/// QEMU processes that mention a text on their command line.
func machines(mentioning text: String) -> [Int32] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap(Int32.init).filter { pid in
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
        let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return words.first?.contains("qemu-system") == true && words.contains { $0.contains(text) }
    }
}

/// Runs another program to its end.
func command(_ program: String, _ arguments: [String]) async throws -> (status: Int, output: String) {
    let lines = Mutex<[String]>([])
    let exit = try await runProcess(program, arguments) { line in lines.withLock { $0.append(line.text) } }
    let status = if case .code(let code) = exit { Int(code) } else { -1 }
    return (status, lines.withLock { $0 }.joined(separator: "\n"))
}
