import Libvirt
import Scopes
import Synchronization

/// The person at the terminal: asked when a step fails (`-on-error=ask`), between steps (`-debug`), at breakpoints.
package final class Attendant: Sendable {
    /// Shows a question and gives the line that is typed; nil at the end of input.
    package typealias Ask = @Sendable (_ question: String) async throws -> String?

    enum Answer {
        case cleanUp, abort
        /// The step runs again, with the machine as it is.
        case retry
        /// The build starts over from the checkpoint before the step.
        case restart
    }

    /// What else can be done about a failed provisioner than to run it again on the machine as it is.
    struct Remedies {
        /// The machine can be restored as it was before the step.
        var canRestart = false
        /// Opens a shell in the machine for the person, and waits until they leave it.
        var openShell: (() async throws -> Void)?
    }

    private let onError: OnError
    private let pausesBetweenSteps: Bool
    /// nil without a terminal.
    private let ask: Ask?
    /// The builds whose failure was answered with “abort”.
    private let aborted = Mutex<Set<String>>([])

    package init(onError: OnError, pausesBetweenSteps: Bool, ask: Ask?) {
        self.onError = onError
        self.pausesBetweenSteps = pausesBetweenSteps
        self.ask = ask
    }

    /// Whether everything that a failed build made stays as it is.
    func keepsEverything(of build: String) -> Bool {
        onError == .abort || onError == .runCleanupProvisioner || aborted.withLock { $0.contains(build) }
    }

    /// What to do about a failed step.
    ///
    /// - Parameter reporter: Masks the secrets of the build in what is shown.
    func answer(
        to error: any Error, in step: String, _ remedies: Remedies = Remedies(), reporter: Reporter
    ) async throws -> Answer {
        guard onError == .ask, let ask else { return .cleanUp }
        var choices = ["[c] Clean up and exit", "[a] abort without cleanup"]
        if remedies.openShell != nil { choices.append("[s] open a shell in the machine") }
        choices.append("or [r] retry \(remedies.canRestart ? "from the checkpoint before it" : "step")")
        let choice = choices.joined(separator: ", ")
        var question = reporter.redact("Step “\(step)” failed: \(error)\n\(choice)? ")
        while let line = try await ask(question) {
            switch line.lowercased().first {
            case "c": return .cleanUp
            case "a", "k":
                _ = aborted.withLock { $0.insert(reporter.build) }
                return .abort
            case "r": return remedies.canRestart ? .restart : .retry
            case "s":
                // The machine is still there for another try when the shell does not open.
                do { try await remedies.openShell?() } catch let error where !(error is CancellationError) {
                    question = reporter.redact("\(error)\n\(choice)? ")
                }
            default: continue
            }
        }
        return .cleanUp
    }

    func pause(after step: String) async throws {
        guard pausesBetweenSteps, let ask else { return }
        _ = try await ask("Pausing after step “\(step)”. Press Enter to continue. ")
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
        _ = try await ask("Pausing at breakpoint\(note.isEmpty ? "" : ": \(note)"). Press Enter to continue. ")
    }
}
