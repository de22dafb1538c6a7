import Foundation
import Pipeline
import Scopes

/// The form of what `build` prints.
enum BuildOutput {
    /// For people.
    case console(Console)
    /// One JSON object per line.
    case json
    /// Packer's records, for programs.
    case records

    var console: Console? {
        if case .console(let console) = self { console } else { nil }
    }

    var sink: any EventSink {
        switch self {
        case .console(let console): console
        case .json: JSONLines()
        case .records: MachineLines()
        }
    }
}

/// What is printed after the builds: how each ended and what it made.
struct BuildSummary {
    let form: BuildOutput
    /// Masks the template's secrets.
    let redactor: Redactor

    func announceInterruption(_ signal: String) {
        let text = "Cancelling build after receiving \(signal). Cleaning up; press Ctrl-C again to leave at once."
        // The line also holds the terminal's ^C, and perhaps a question.
        if let console = form.console { return console.interrupt(with: text) }
        say(text, "interrupted", [:])
    }

    func show(_ outcomes: [BuildOutcome]) {
        // Each build knows secrets of its own by now, such as passwords that it has made.
        BuildSummary(form: form, redactor: outcomes.reduce(redactor) { $0.adding($1.redactor) }).showAll(outcomes)
    }

    private func showAll(_ outcomes: [BuildOutcome]) {
        if case .records = form {
            for record in MachineRecord.summary(of: outcomes) { record.redacted(by: redactor).write() }
            return
        }
        say("", nil, [:])
        for outcome in outcomes { show(outcome) }
        let failed = outcomes.filter { if case .failure = $0.result { true } else { false } }
        if !failed.isEmpty {
            say("\n==> Some builds didn't complete successfully and had errors:", nil, [:])
            for outcome in failed {
                guard case .failure(let error) = outcome.result else { continue }
                let reason = error is CancellationError ? "interrupted" : "\(error)"
                say("--> \(outcome.name): \(reason)", nil, [:])
            }
        }
        let artifacts = outcomes.flatMap { outcome in
            ((try? outcome.result.get()) ?? []).map { (outcome.name, $0) }  // Failures are listed above.
        }
        if artifacts.isEmpty {
            say("\n==> Builds finished but no artifacts were created.", nil, [:])
        } else {
            say("\n==> Builds finished. The artifacts of successful builds are:", nil, [:])
            for (name, artifact) in artifacts {
                say(
                    "--> \(name): \(artifact.description)", "artifact",
                    ["build": .string(name), "id": .string(artifact.id), "files": .strings(artifact.files)])
            }
        }
    }

    private func show(_ outcome: BuildOutcome) {
        switch outcome.result {
        case .success:
            say(
                "Build '\(outcome.name)' finished after \(outcome.took.text).", "build-finished",
                ["build": .string(outcome.name), "seconds": .number(outcome.took.seconds)])
        case .failure(let error):
            let reason = error is CancellationError ? "it was interrupted" : "\(error)"
            say(
                "Build '\(outcome.name)' errored after \(outcome.took.text): \(reason)", "build-failed",
                [
                    "build": .string(outcome.name), "seconds": .number(outcome.took.seconds),
                    "reason": .string(reason),
                ])
            guard let failure = outcome.failure else { return }
            for line in failure.lines {
                say("    " + line, nil, [:])
            }
            if case .json = form {
                say(
                    failure.reason, "failure-report",
                    [
                        "build": .string(outcome.name), "screen": .optional(failure.screen),
                        "run_folder": .string(failure.runFolder), "screen_text": .strings(failure.screenText),
                        "serial": .strings(failure.serialTail), "requests": .strings(failure.requests),
                        "installer": .strings(failure.installerTail),
                    ])
            }
        }
    }

    /// Prints a line for people, or an event for programs; lines without an event are for people only.
    private func say(_ text: String, _ event: String?, _ fields: [String: JSONValue]) {
        let text = redactor.redact(text)
        switch form {
        case .console(let console): return console.say(text)
        case .records: return MachineRecord(.say, text).write()
        case .json: break
        }
        guard let event else { return }
        var object = fields.mapValues { $0.mapText(redactor.redact) }
        object["event"] = .string(event)
        object["text"] = .string(text)
        object["time"] = .string(timestampText(Date()))
        put(jsonObject(object) + "\n")
    }
}
