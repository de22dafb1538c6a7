import Foundation
import Pipeline
import Scopes
import Synchronization

/// Shows builds on standard output: lines with the build's name before them, and on a terminal a line at the bottom
/// with what is going on right now.
final class Console: EventSink {
    private struct State {
        /// Colours by build, handed out in order of appearance.
        var colors: [String: String] = [:]
        /// What each running build is doing: its step and since when.
        var current: [String: (step: String, since: ContinuousClock.Instant, detail: String)] = [:]
        var lastLine = ContinuousClock.now
        var statusIsShown = false
    }

    private let usesColor: Bool
    private let timestamps: Bool
    private let isLive: Bool
    private let state = Mutex(State())
    private static let palette = ["32", "36", "35", "33", "34"]

    init(usesColor: Bool, timestamps: Bool) {
        self.usesColor = usesColor
        self.timestamps = timestamps
        isLive = Terminal.outputIsTerminal && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// A line that belongs to no build.
    func say(_ text: String) {
        state.withLock { write(text, &$0) }
    }

    func receive(_ event: Event) {
        state.withLock { state in
            switch event.kind {
            case .stepStarted:
                state.current[event.build] = (event.text, .now, "")
                line("==>", event, event.text + "...", "1", &state)
            case .stepFinished(let took, let failed):
                state.current[event.build] = nil
                guard took >= .seconds(1) || failed else { return }
                line("   ", event, "\(failed ? "failed" : "done") after \(took.text)", failed ? "31" : "2", &state)
            case .news: line("   ", event, event.text, nil, &state)
            case .heartbeat:
                state.current[event.build]?.detail = event.text
                // A live line shows it already; elsewhere a sign of life now and then is enough.
                if !isLive && ContinuousClock.now - state.lastLine > .seconds(60) {
                    line("   ", event, event.text, "2", &state)
                }
            case .guest: line("   ", event, event.text, "2", &state)
            case .installer: state.current[event.build]?.detail = event.text
            case .request: line("   ", event, event.text, "2", &state)
            case .progress(let fraction):
                state.current[event.build]?.detail = "\(event.text) \(Int(fraction * 100)) %"
                if !isLive && ContinuousClock.now - state.lastLine > .seconds(10) {
                    line("   ", event, "\(event.text) \(Int(fraction * 100)) %", nil, &state)
                }
            case .warning: line("   ", event, "Warning: \(event.text)", "33", &state)
            case .error: line("==>", event, event.text, "1;31", &state)
            case .debug: return
            }
            showStatus(&state)
        }
    }

    /// Redraws the live line; called once a second while builds run.
    func tick() {
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
        clearStatus(&state)
        put(text + "\n")
        state.lastLine = .now
    }

    private func showStatus(_ state: inout State) {
        guard isLive, let (build, current) = state.current.min(by: { $0.value.since < $1.value.since }) else {
            return clearStatus(&state)
        }
        let more = state.current.count > 1 ? " (and \(state.current.count - 1) more)" : ""
        let detail = current.detail.isEmpty ? "" : ": \(current.detail)"
        let text = "    \(build): \(current.step) \((ContinuousClock.now - current.since).text)\(more)\(detail)"
        let plain = String(text.filter { !$0.isNewline }.prefix(max(20, Terminal.width - 1)))
        clearStatus(&state)
        put(styled(plain, "2"))
        state.statusIsShown = true
    }

    private func clearStatus(_ state: inout State) {
        guard state.statusIsShown else { return }
        put("\r\u{1B}[K")
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
        if event.kind == .debug { return }
        put(event.json + "\n")
    }
}
