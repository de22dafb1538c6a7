import CLI
import Foundation
import Pipeline
import Synchronization
import Testing

/// A terminal as far as the console uses one: lines that wrap, carriage returns, and erasing to the end of a line.
private final class Screen: Sendable {
    private struct State {
        var lines: [[Character]] = [[]]
        var row = 0
        var column = 0
    }

    private let state = Mutex(State())
    let width: Int

    init(width: Int) { self.width = width }

    var lines: [String] { state.withLock { $0.lines.map { String($0) } } }
    /// The line of the cursor, and how far it is from its start.
    var cursor: (line: String, column: Int) { state.withLock { (String($0.lines[$0.row]), $0.column) } }

    func write(_ text: String) {
        state.withLock { state in
            for part in text.replacing("\u{1B}[K", with: "\u{0}") {
                switch part {
                case "\n":
                    state.row += 1
                    state.column = 0
                    if state.row == state.lines.count { state.lines.append([]) }
                case "\r": state.column = 0
                case "\u{0}": state.lines[state.row].removeSubrange(min(state.column, state.lines[state.row].count)...)
                default:
                    if state.column == width {
                        state.row += 1
                        state.column = 0
                        if state.row == state.lines.count { state.lines.append([]) }
                    }
                    while state.lines[state.row].count <= state.column { state.lines[state.row].append(" ") }
                    state.lines[state.row][state.column] = part
                    state.column += 1
                }
            }
        }
    }
}

@Suite("The console of a build")
struct ConsoleTests {
    private let screen = Screen(width: 50)
    private let console: Console

    init() {
        console = Console(
            usesColor: false, timestamps: false,
            device: .init(write: { [screen] in screen.write($0) }, width: { 50 }, isLive: true))
    }

    private func report(_ kind: Event.Kind, _ text: String, build: String = "qemu.a") {
        console.receive(Event(time: Date(timeIntervalSince1970: 0), build: build, kind: kind, text: text))
    }

    @Test("the status line is erased before a line is written, and shows no time in the first second")
    func status() {
        report(.stepStarted, "Booting the machine")
        #expect(screen.lines == ["==> qemu.a: Booting the machine...", "    qemu.a: Booting the machine"])
        report(.heartbeat, "GET /preseed.cfg 200, and more than the line has room for")
        #expect(screen.lines.count == 2 && screen.lines[1].count <= 47)
        report(.news, "Accelerator: kvm")
        report(.stepFinished(took: .seconds(2), failed: false), "Booting the machine")
        #expect(
            screen.lines == [
                "==> qemu.a: Booting the machine...", "    qemu.a: Accelerator: kvm", "    qemu.a: done after 2 s", "",
            ])
    }

    @Test("a question wraps between words, ends with a line break, and nothing is written before it is answered")
    func question() async throws {
        report(.stepStarted, "Serving files")
        let answer = try await console.ask("Pausing after step “Fetching the medium”. Press Enter to continue.") {
            #expect(screen.cursor == ("", 0))
            report(.news, "said by another build", build: "qemu.b")
            console.tick()
            #expect(
                screen.lines == [
                    "==> qemu.a: Serving files...", "Pausing after step “Fetching the medium”. Press",
                    "Enter to continue.", "",
                ])
            screen.write("y\n")
            return "y"
        }
        #expect(answer == "y")
        #expect(screen.lines[4...] == ["    qemu.b: said by another build", ""])
        console.tick()
        #expect(screen.cursor.line.hasPrefix("    qemu.a: Serving files"))
    }

    @Test("Ctrl-C at a question: what was typed is erased, and the announcement has a line of its own")
    func interruption() async throws {
        await #expect(throws: CancellationError.self) {
            _ = try await console.ask("Step “x” failed. [c] Clean up and exit?") {
                screen.write("half a wo^C")
                console.interrupt(with: "Cancelling build.")
                screen.write("^C")
                throw CancellationError()
            }
        }
        console.say("Build 'qemu.a' errored.")
        #expect(
            screen.lines == [
                "Step “x” failed. [c] Clean up and exit?", "Cancelling build.", "Build 'qemu.a' errored.", "",
            ])
    }

    @Test("Ctrl-C while the status line stands leaves nothing of it, however long it is")
    func interruptedStatus() {
        report(.stepStarted, String(repeating: "x", count: 30))
        report(.heartbeat, String(repeating: "y", count: 80))
        screen.write("^C")
        console.interrupt(with: "Cancelling build.")
        #expect(screen.lines.count == 3 && screen.lines[1] == "Cancelling build.")
    }

    @Test("a shell has the terminal for itself; what builds report meanwhile is shown when it is left")
    func shell() {
        report(.stepStarted, "Restoring the machine")
        report(.terminalLent, "a shell in the machine")
        #expect(screen.lines == ["==> qemu.a: Restoring the machine...", ""])
        screen.write("~ # exit\n")
        report(.stepFinished(took: .seconds(1), failed: false), "Restoring the machine")
        for number in 1...1003 { report(.news, "line \(number)") }
        console.tick()
        #expect(screen.lines == ["==> qemu.a: Restoring the machine...", "~ # exit", ""])
        report(.terminalReturned, "a shell in the machine")
        #expect(screen.lines[2] == "(4 lines are in the run folder only)")
        #expect(screen.lines[3] == "    qemu.a: line 4" && screen.lines.suffix(2) == ["    qemu.a: line 1003", ""])
    }

    @Test("text wraps at words, keeps its indent, and leaves long words whole")
    func wrapping() {
        #expect(wrapped("a bb ccc", width: 4) == "a bb\nccc")
        #expect(wrapped("  one two", width: 6) == "  one\n  two")
        #expect(wrapped("one\n\ntwo three", width: 5) == "one\n\ntwo\nthree")
        #expect(wrapped("incomprehensible a", width: 4) == "incomprehensible\na")
        #expect(wrapped("漢字 漢字", width: 8) == "漢字\n漢字")
        #expect(wrapped("as it is", width: 0) == "as it is")
    }
}

@Suite("The debug log")
struct DebugLogTests {
    @Test("PACKER_LOG and PACKER_LOG_PATH: debug messages are in the file", arguments: ["1", "TRACE"])
    func file(_ value: String) throws {
        let path = NSTemporaryDirectory() + "ingot-log-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let log = try #require(try DebugLog(environment: ["PACKER_LOG": value, "PACKER_LOG_PATH": path]))
        log.receive(Event(time: Date(timeIntervalSince1970: 0), build: "qemu.a", kind: .debug, text: "a detail"))
        log.receive(
            Event(time: Date(timeIntervalSince1970: 0), build: "qemu.a", kind: .progress(fraction: 0), text: ""))
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2 && lines[0].hasSuffix("ingot \(ingotVersion)"))
        #expect(lines[1] == "1970-01-01T00:00:00.000Z [debug] qemu.a: a detail")
    }

    @Test("unset, empty and 0 are no log, whatever the path says", arguments: [nil, "", "0"])
    func off(_ value: String?) throws {
        var environment = ["PACKER_LOG_PATH": "/nonexistent/log"]
        environment["PACKER_LOG"] = value
        #expect(try DebugLog(environment: environment) == nil)
    }

    @Test("a path that cannot be written to is an error that names it")
    func unwritable() {
        #expect {
            try DebugLog(environment: ["PACKER_LOG": "1", "PACKER_LOG_PATH": "/nonexistent/log"])
        } throws: { "\($0)".contains("/nonexistent/log") }
    }
}
