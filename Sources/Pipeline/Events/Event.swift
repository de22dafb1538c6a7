package import Foundation

/// One thing that happened in a build, as the console shows it and the run folder keeps it.
package struct Event: Sendable {
    package enum Kind: Sendable, Equatable {
        /// A step begins; `text` is its title.
        case stepStarted
        /// A step is done or has failed, after `took`.
        case stepFinished(took: Duration, failed: Bool)
        /// Something Ingot has to say.
        case news
        /// Something that repeats while waiting; a console may leave it out.
        case heartbeat
        /// A line of the guest's own: a provisioner's output.
        case guest(isError: Bool)
        /// A line of the installer's log, as it came over syslog.
        case installer
        /// A request that the guest made to the HTTP server.
        case request
        case progress(fraction: Double)
        case warning
        case error
        /// Goes to the log only.
        case debug
        /// Another program, such as a shell, has the terminal until `terminalReturned`.
        case terminalLent
        case terminalReturned
    }

    package var time: Date
    /// The build's name, or "" for what concerns all.
    package var build: String
    package var kind: Kind
    package var text: String
    /// Further values, for programs.
    package var fields: [String: JSONValue]

    package init(time: Date, build: String, kind: Kind, text: String, fields: [String: JSONValue] = [:]) {
        self.time = time
        self.build = build
        self.kind = kind
        self.text = text
        self.fields = fields
    }

    /// A short word for the kind, as the JSON lines carry it.
    package var kindName: String {
        switch kind {
        case .stepStarted: "step-started"
        case .stepFinished(_, let failed): failed ? "step-failed" : "step-finished"
        case .news: "news"
        case .heartbeat: "heartbeat"
        case .guest: "guest"
        case .installer: "installer"
        case .request: "request"
        case .progress: "progress"
        case .warning: "warning"
        case .error: "error"
        case .debug: "debug"
        case .terminalLent: "terminal-lent"
        case .terminalReturned: "terminal-returned"
        }
    }

    /// Whether it concerns what writes to a terminal and nothing else.
    package var isForTerminalsOnly: Bool { kind == .terminalLent || kind == .terminalReturned }

    /// The event as one JSON object on one line, without the newline.
    package var json: String {
        var object = fields
        object["time"] = .string(timestampText(time))
        object["build"] = .string(build)
        object["event"] = .string(kindName)
        object["text"] = .string(text)
        switch kind {
        case .stepFinished(let took, _): object["seconds"] = .number(took.seconds)
        case .progress(let fraction): object["fraction"] = .number(fraction)
        case .guest(let isError): object["stream"] = isError ? "stderr" : "stdout"
        default: break
        }
        return jsonObject(object)
    }
}

/// Takes events as they happen, from any thread.
package protocol EventSink: Sendable {
    func receive(_ event: Event)
}

/// A time as RFC 3339 in UTC with milliseconds.
package func timestampText(_ date: Date) -> String {
    let milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded())
    var seconds = time_t(milliseconds / 1000)
    var fields = tm()
    gmtime_r(&seconds, &fields)
    func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let day =
        "\(padded(Int(fields.tm_year) + 1900, 4))-\(padded(Int(fields.tm_mon) + 1, 2))-\(padded(Int(fields.tm_mday), 2))"
    let clock = [fields.tm_hour, fields.tm_min, fields.tm_sec].map { padded(Int($0), 2) }.joined(separator: ":")
    return "\(day)T\(clock).\(padded(Int(milliseconds % 1000), 3))Z"
}

extension Duration {
    /// Seconds with fractions.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
