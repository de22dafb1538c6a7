import ComponentModel
import Libvirt
import Machines
package import Scopes
package import Templates

/// What every step of one build works with.
package struct BuildScope: Sendable {
    let plan: PlannedBuild
    let context: RunContext
    let options: BuildOptions
    let engine: Engine
    let reporter: Reporter
    let attendant: Attendant
    /// The run folder, absolute: what explains the build is kept there.
    let runFolder: String
    /// Text that must not be shown, nor be left in the image.
    let secrets: [Sensitive<String>]
    var connector: any GuestConnector = SSHConnector()

    /// - Parameter runFolder: The run folder's path; "" where no machine is started.
    package init(
        plan: PlannedBuild, context: RunContext, options: BuildOptions, engine: Engine, reporter: Reporter,
        attendant: Attendant, runFolder: String, secrets: [Sensitive<String>]
    ) {
        self.plan = plan
        var context = context
        context.build = plan
        self.context = context
        self.options = options
        self.engine = engine
        self.reporter = reporter
        self.attendant = attendant
        self.runFolder = runFolder
        self.secrets = secrets
    }

    var source: QemuSource { plan.source }

    /// Whether a failed build leaves its machine and its files as they are (`-on-error`).
    var retention: RetentionPolicy { RetentionPolicy(attendant: attendant, build: plan.name) }

    /// Runs one step of the build, and asks the attendant what to do where it fails.
    ///
    /// - Parameter asking: Whether the attendant is asked about an error, which may be handled where it arrives.
    /// - Throws: What `body` throws, unless the step is tried again.
    func step<Value: Sendable>(
        _ title: String, asking: (any Error) -> Bool = { _ in true }, _ body: () async throws -> Value
    ) async throws -> Value {
        while true {
            do {
                let value = try await reporter.step(title, body)
                try await attendant.pause(after: title)
                return value
            } catch let error where !(error is CancellationError) && !(error is MachineStopped) && asking(error) {
                guard try await attendant.answer(to: error, in: title, reporter: reporter) == .retry else {
                    throw error
                }
            }
        }
    }

    /// A step that is skipped where the template does not ask for it.
    func step<Value: Sendable>(
        _ title: String, unless isSkipped: Bool, _ body: () async throws -> Value
    ) async throws -> Value? {
        isSkipped ? nil : try await step(title, body)
    }
}

/// Decides in a teardown whether what it would remove is kept.
struct RetentionPolicy: Sendable {
    let attendant: Attendant
    let build: String

    /// - Parameter outcome: How the scope ended that the teardown belongs to.
    func keepsEverything(after outcome: Result<Void, any Error>) -> Bool {
        guard case .failure(let error) = outcome, !(error is CancellationError) else { return false }
        return attendant.keepsEverything(of: build)
    }
}
