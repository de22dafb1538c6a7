package import Pipeline
import Scopes

/// Shows builds as Packer's records for programs.
struct MachineLines: EventSink {
    func receive(_ event: Event) {
        MachineRecord(event)?.write()
    }
}

extension MachineRecord {
    /// The record of an event; nil for events that only concern people at a terminal.
    package init?(_ event: Event) {
        func text(_ mark: String, _ text: String) -> String {
            let name = event.build.isEmpty ? "" : event.build + ": "
            return text.split(separator: "\n", omittingEmptySubsequences: false).map { "\(mark) \(name)\($0)" }
                .joined(separator: "\n")
        }
        switch event.kind {
        case .stepStarted: self.init(.say, text("==>", event.text + "..."))
        case .stepFinished(let took, let failed):
            guard failed || took >= .seconds(1) else { return nil }
            self.init(.message, text("   ", "\(failed ? "failed" : "done") after \(took.text)"))
        case .news, .request, .guest(isError: false): self.init(.message, text("   ", event.text))
        case .warning: self.init(.say, text("==>", "Warning: " + event.text))
        case .error, .guest(isError: true): self.init(.error, text("==>", event.text))
        case .heartbeat, .installer, .progress, .debug, .terminalLent, .terminalReturned: return nil
        }
    }

    /// The records of how all builds ended and what they made, in Packer's order.
    package static func summary(of outcomes: [BuildOutcome]) -> [MachineRecord] {
        var records: [MachineRecord] = []
        var failures: [(name: String, reason: String)] = []
        for outcome in outcomes {
            switch outcome.result {
            case .success: records.append(.init(.say, "Build '\(outcome.name)' finished after \(outcome.took.text)."))
            case .failure(let error):
                let reason = error is CancellationError ? "it was interrupted" : "\(error)"
                failures.append((outcome.name, reason))
                let head = "Build '\(outcome.name)' errored after \(outcome.took.text): \(reason)"
                records.append(.init(.error, ([head] + (outcome.failure?.lines ?? [])).joined(separator: "\n    ")))
            }
        }
        if !failures.isEmpty {
            records.append(.init("error-count", [String(failures.count)]))
            records.append(.init(.error, "\n==> Some builds didn't complete successfully and had errors:"))
            for failure in failures {
                records.append(.init("error", [failure.reason], target: failure.name))
                records.append(.init(.error, "--> \(failure.name): \(failure.reason)"))
            }
        }
        let left = outcomes.compactMap { outcome -> (String, [Artifact])? in
            guard case .success(let artifacts) = outcome.result, !artifacts.isEmpty else { return nil }
            return (outcome.name, artifacts)
        }
        if left.isEmpty {
            records.append(.init(.say, "\n==> Builds finished but no artifacts were created."))
        } else {
            records.append(.init(.say, "\n==> Builds finished. The artifacts of successful builds are:"))
        }
        for (name, artifacts) in left {
            records.append(.init("artifact-count", [String(artifacts.count)], target: name))
            for (index, artifact) in artifacts.enumerated() { records += Self.records(of: artifact, index, name) }
        }
        return records
    }

    private static func records(of artifact: Artifact, _ index: Int, _ name: String) -> [MachineRecord] {
        var facts = [
            ["builder-id", artifact.builderID], ["id", artifact.id], ["string", artifact.description],
            ["files-count", String(artifact.files.count)],
        ]
        facts += artifact.files.enumerated().map { ["file", String($0), $1] }
        facts.append(["end"])
        return facts.map { .init("artifact", [String(index)] + $0, target: name) }
            + [.init(.say, "--> \(name): \(artifact.description)")]
    }

    func redacted(by redactor: Redactor) -> MachineRecord {
        MachineRecord(type, data.map(redactor.redact), target: target)
    }
}
