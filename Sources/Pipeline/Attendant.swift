import Libvirt
import Scopes
import Synchronization

/// The person at the terminal: asked when a step fails (`-on-error=ask`), between steps (`-debug`), at breakpoints.
package final class Attendant: Sendable {
    /// Shows a question and gives the line that is typed; nil at the end of input.
    package typealias Ask = @Sendable (_ question: String) async throws -> String?

    enum Answer { case cleanUp, abort, retry }

    /// What there is to do about a failed provisioner beside trying it again as the machine is.
    struct Remedies {
        /// The machine can be brought back to what it was before.
        var canRestart = false
        /// Opens a shell in the machine for the person, and waits until it is left.
        var openShell: (() async throws -> Void)?
    }

    private let onError: OnError
    private let pausesBetweenSteps: Bool
    /// nil where nobody can answer.
    private let ask: Ask?
    private let aborted = Mutex(false)

    package init(onError: OnError, pausesBetweenSteps: Bool, ask: Ask?) {
        self.onError = onError
        self.pausesBetweenSteps = pausesBetweenSteps
        self.ask = ask
    }

    /// Whether what the failed build acquired stays as it is.
    var keepsOnFailure: Bool {
        onError == .abort || onError == .runCleanupProvisioner || aborted.withLock { $0 }
    }

    /// What to do about a failed step.
    func answer(
        to error: any Error, in step: String, _ remedies: Remedies = Remedies()
    ) async throws -> Answer {
        guard onError == .ask, let ask else { return .cleanUp }
        var choices = ["[c] Clean up and exit", "[a] abort without cleanup"]
        if remedies.openShell != nil { choices.append("[s] open a shell in the machine") }
        choices.append("or [r] retry \(remedies.canRestart ? "from the checkpoint before it" : "step")")
        var question = "Step \"\(step)\" failed: \(error)\n\(choices.joined(separator: ", "))? "
        while let line = try await ask(question) {
            switch line.lowercased().first {
            case "c": return .cleanUp
            case "a", "k":
                aborted.withLock { $0 = true }
                return .abort
            case "r": return .retry
            case "s":
                // A shell that does not open is no reason to give the machine up.
                do { try await remedies.openShell?() } catch let error where !(error is CancellationError) {
                    question = "\(error)\n\(choices.joined(separator: ", "))? "
                }
            default: continue
            }
        }
        return .cleanUp
    }

    func pause(after step: String) async throws {
        guard pausesBetweenSteps, let ask else { return }
        _ = try await ask("Pausing after step \"\(step)\". Press enter to continue. ")
    }

    func breakpoint(_ note: String, isDisabled: Bool, reporter: Reporter) async throws {
        if isDisabled {
            reporter.news("Breakpoint provisioner is disabled; continuing.")
            return
        }
        guard let ask else {
            throw BuildError(
                "stop at the breakpoint", because: "standard input is not a terminal",
                hint: "Set disable = true, or run the build from a terminal.")
        }
        _ = try await ask("Pausing at breakpoint\(note.isEmpty ? "" : ": \(note)"). Press enter to continue. ")
    }
}

/// Runs steps, asks the attendant about those that fail.
struct StepRunner: Sendable {
    let reporter: Reporter
    let attendant: Attendant

    /// - Throws: `Restart` where it is to be tried again from a checkpoint.
    func run<Value: Sendable>(
        _ title: String, remedies: Attendant.Remedies = .init(), _ body: () async throws -> Value
    ) async throws -> Value {
        while true {
            do {
                let value = try await reporter.step(title, body)
                try await attendant.pause(after: title)
                return value
            } catch let error where !(error is CancellationError) && !(error is MachineStopped) && !(error is Restart) {
                guard try await attendant.answer(to: error, in: title, remedies) == .retry else { throw error }
                if remedies.canRestart { throw Restart(reason: .retry) }
            }
        }
    }

    /// A step that is left out where the template does not ask for it.
    func run<Value: Sendable>(
        _ title: String, unless isLeftOut: Bool, _ body: () async throws -> Value
    ) async throws -> Value? {
        isLeftOut ? nil : try await run(title, body)
    }
}

/// Decides in a teardown whether what it would remove is kept.
struct KeepOnFailure: Sendable {
    let attendant: Attendant

    func keeps(after outcome: Result<Void, any Error>) -> Bool {
        guard case .failure(let error) = outcome, !(error is CancellationError), !(error is Restart) else {
            return false
        }
        return attendant.keepsOnFailure
    }
}
