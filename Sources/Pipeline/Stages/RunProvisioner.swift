import ComponentModel
import Guests
import Libvirt
import Machines
import Scopes
import Templates

/// Runs one provisioner of a build; where it fails, the attendant may open a shell in the machine, try it again, or have
/// the build start over from the checkpoint before it.
struct RunProvisioner: Sendable {
    let scope: BuildScope
    /// Counted from 1.
    let number: Int
    let data: RunData
    let machine: RunningMachine
    let keys: BuildKeys?
    let workspace: Workspace
    let recorder: CheckpointRecorder?

    private var planned: PlannedProvisioner { scope.plan.provisioners[number - 1] }

    private var title: String {
        "Provisioner \(number) of \(scope.plan.provisioners.count): \(planned.title)"
    }

    /// - Returns: Why to start over; nil where the provisioner is done.
    func run(_ guest: (any Guest)?) async throws -> Restart? {
        let remedies = remedies(guest)
        while true {
            do {
                try await scope.reporter.step(title) {
                    try await Provision(
                        planned: planned, build: scope.plan, data: data, context: scope.context,
                        reporter: scope.reporter, attendant: scope.attendant
                    ).run(guest)
                }
                try await scope.attendant.pause(after: title)
                return nil
            } catch let error where !(error is CancellationError) {
                // On a damaged disk a guest fails for reasons that have nothing to do with the provisioner.
                if let damage = try await recorder?.damage() { return damage }
                if error is MachineStopped { throw error }
                switch try await scope.attendant.answer(to: error, in: title, remedies, reporter: scope.reporter) {
                case .retry: continue
                case .restart: return .retry
                case .cleanUp, .abort: throw error
                }
            }
        }
    }

    private func remedies(_ guest: (any Guest)?) -> Attendant.Remedies {
        var remedies = Attendant.Remedies(canRestart: recorder?.canRestart(before: number) ?? false)
        if case .ssh(let settings) = scope.source.communicator, guest != nil {
            remedies.openShell = {
                _ = try await OpenShell(
                    settings: settings, context: scope.context, workspace: workspace, reporter: scope.reporter
                )
                .run(machine, keys)
            }
        }
        return remedies
    }
}
