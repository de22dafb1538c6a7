import Foundation
package import Pipeline
import Scopes
import Synchronization

/// Shows builds on standard output: a line per event with the build's name in front, and on a terminal a status line at
/// the bottom that says what is going on now.
package final class Console: EventSink {
    /// Where the text goes.
    package struct Device: Sendable {
        var write: @Sendable (String) -> Void
        /// Cells in a line; 0 where there is no terminal.
        var width: @Sendable () -> Int
        /// Whether a line can be drawn over.
        var isLive: Bool

        package init(
            write: @escaping @Sendable (String) -> Void, width: @escaping @Sendable () -> Int, isLive: Bool
        ) {
            self.write = write
            self.width = width
            self.isLive = isLive
        }

        static var standardOutput: Device {
            let isDumb = ProcessInfo.processInfo.environment["TERM"] == "dumb"
            return Device(
                write: { put($0) }, width: { Terminal.width }, isLive: Terminal.outputIsTerminal && !isDumb)
        }
    }

    private struct State {
        /// Colours by build, assigned in order of appearance.
        var colors: [String: String] = [:]
        /// What each running build is doing: its step and since when.
        var current: [String: (step: String, since: ContinuousClock.Instant, detail: String)] = [:]
        var lastLine = ContinuousClock.now
        var statusIsShown = false
        /// Questions and programs that have the terminal now.
        var borrowers = 0
        /// Lines that wait until the terminal is free again.
        var held: [String] = []
        var heldTooMany = 0
    }

    private let usesColor: Bool
    private let timestamps: Bool
    private let device: Device
    private let state = Mutex(State())
    private static let palette = ["32", "36", "35", "33", "34"]
    private static let mostHeld = 1000
    private static let eraseLine = "\r\u{1B}[K"

    /// - Parameter timestamps: Whether every line begins with the time.
    package init(usesColor: Bool, timestamps: Bool, device: Device) {
        self.usesColor = usesColor
        self.timestamps = timestamps
        self.device = device
    }

    /// Shows a line that belongs to no build.
    package func say(_ text: String) {
        state.withLock { write(text, &$0) }
    }

    /// Shows a line at once, also over a question that is still open.
    package func interrupt(with text: String) {
        state.withLock { state in
            clearStatus(&state)
            device.write((device.isLive ? Self.eraseLine : "") + text + "\n")
        }
    }

    /// Asks a question at the terminal. Nothing else is written before it is answered.
    ///
    /// - Parameter readAnswer: Reads the answer; nil at the end of input.
    package func ask(
        _ question: String, _ readAnswer: () async throws -> String?
    ) async throws -> String? {
        try await lending {
            device.write(wrapped(question, width: device.width()) + "\n")
            return try await readAnswer()
        }
    }

    /// Runs `body`, which has the terminal for itself. What is shown meanwhile appears afterwards.
    private func lending<Value>(_ body: () async throws -> Value) async throws -> Value {
        lend()
        defer { takeBack() }
        return try await body()
    }

    private func lend() {
        state.withLock { state in
            clearStatus(&state)
            state.borrowers += 1
        }
    }

    private func takeBack() {
        state.withLock { state in
            state.borrowers -= 1
            guard state.borrowers == 0 else { return }
            // Ctrl-C and what was typed and not sent are on the line.
            if device.isLive { device.write(Self.eraseLine) }
            if state.heldTooMany > 0 { write("(\(state.heldTooMany) lines are in the run folder only)", &state) }
            let held = state.held
            (state.held, state.heldTooMany) = ([], 0)
            for line in held { write(line, &state) }
        }
    }

    /// Shows an event.
    package func receive(_ event: Event) {
        switch event.kind {
        case .debug: return
        case .terminalLent: return lend()
        case .terminalReturned: return takeBack()
        default: state.withLock { show(event, &$0) }
        }
    }

    private func show(_ event: Event, _ state: inout State) {
        switch event.kind {
        case .stepStarted:
            state.current[event.build] = (event.text, .now, "")
            line("==>", event, event.text + "...", "1", &state)
        case .stepFinished(let took, let failed):
            state.current[event.build] = nil
            if took >= .seconds(1) || failed {
                line("   ", event, "\(failed ? "failed" : "done") after \(took.text)", failed ? "31" : "2", &state)
            }
        case .news: line("   ", event, event.text, nil, &state)
        case .heartbeat:
            state.current[event.build]?.detail = event.text
            // The status line shows it; elsewhere a sign of life now and then is enough.
            if !device.isLive && ContinuousClock.now - state.lastLine > .seconds(60) {
                line("   ", event, event.text, "2", &state)
            }
        case .guest, .request: line("   ", event, event.text, "2", &state)
        case .installer: state.current[event.build]?.detail = event.text
        case .progress(let fraction):
            let text = "\(event.text) \(Int(fraction * 100)) %"
            state.current[event.build]?.detail = text
            if !device.isLive && ContinuousClock.now - state.lastLine > .seconds(10) {
                line("   ", event, text, nil, &state)
            }
        case .warning: line("   ", event, "Warning: \(event.text)", "33", &state)
        case .error: line("==>", event, event.text, "1;31", &state)
        case .debug, .terminalLent, .terminalReturned: break
        }
        showStatus(&state)
    }

    /// Redraws the status line; called once a second while builds run.
    package func tick() {
        state.withLock { showStatus(&$0) }
    }

    private func line(_ mark: String, _ event: Event, _ text: String, _ style: String?, _ state: inout State) {
        let color = color(of: event.build, &state)
        for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let stamp = timestamps ? "\(timestampText(event.time)): " : ""
            let name = event.build.isEmpty ? "" : styled(event.build + ":", color) + " "
            write(
                "\(stamp)\(styled(mark, color)) \(name)\(style.map { styled(String(part), $0) } ?? String(part))",
                &state)
        }
    }

    private func write(_ text: String, _ state: inout State) {
        guard state.borrowers == 0 else {
            state.held.append(text)
            if state.held.count > Self.mostHeld {
                state.held.removeFirst()
                state.heldTooMany += 1
            }
            return
        }
        clearStatus(&state)
        device.write(text + "\n")
        state.lastLine = .now
    }

    private func showStatus(_ state: inout State) {
        guard device.isLive, state.borrowers == 0,
            let (build, current) = state.current.min(by: { $0.value.since < $1.value.since })
        else { return clearStatus(&state) }
        let elapsed = ContinuousClock.now - current.since
        let time = elapsed < .seconds(1) ? "" : " \(elapsed.text)"
        let more = state.current.count > 1 ? " (and \(state.current.count - 1) more)" : ""
        let detail = current.detail.isEmpty ? "" : ": \(current.detail)"
        let text = "    \(build): \(current.step)\(time)\(more)\(detail)".filter { !$0.isNewline }
        clearStatus(&state)
        // Room for the ^C that a terminal echoes: a line that wraps cannot be erased.
        device.write(styled(shortened(text, cells: max(20, device.width() - 3)), "2"))
        state.statusIsShown = true
    }

    private func clearStatus(_ state: inout State) {
        guard state.statusIsShown else { return }
        device.write(Self.eraseLine)
        state.statusIsShown = false
    }

    private func color(of build: String, _ state: inout State) -> String {
        if let known = state.colors[build] { return known }
        let color = Self.palette[state.colors.count % Self.palette.count]
        state.colors[build] = color
        return color
    }

    private func styled(_ text: String, _ code: String) -> String {
        usesColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// Shows builds as one JSON object a line.
struct JSONLines: EventSink {
    func receive(_ event: Event) {
        if event.isForTerminalsOnly || event.kind == .debug { return }
        put(event.json + "\n")
    }
}
