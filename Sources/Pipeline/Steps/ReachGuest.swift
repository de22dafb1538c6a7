import ComponentModel
import Guests
import Scopes
import Templates

/// Connects to guests.
protocol GuestConnector: Sendable {
    /// Waits until the guest answers and takes the login.
    func connect(
        _ settings: SSHSettings, to machine: RunningMachine, _ services: Services, _ keys: BuildKeys?,
        _ scope: BuildScope
    ) async throws -> any Guest
}

struct SSHConnector: GuestConnector {
    func connect(
        _ settings: SSHSettings, to machine: RunningMachine, _ services: Services, _ keys: BuildKeys?,
        _ scope: BuildScope
    ) async throws -> any Guest {
        try await ConnectShell(settings: settings, context: scope.context, reporter: scope.reporter)
            .run(machine, services, keys)
    }
}

/// Connects to the guest, for as long as the scope of the teardowns lasts.
struct ReachGuest: Sendable {
    let scope: BuildScope
    let services: Services

    /// - Returns: nil without a communicator; a restart for a machine from a checkpoint that does not answer.
    func run(
        _ started: StartedMachine, _ keys: BuildKeys?, _ teardowns: Teardowns
    ) async throws -> Attempt<(any Guest)?> {
        guard case .ssh(var settings) = scope.source.communicator else { return .done(nil) }
        let isFromCheckpoint = started.isFromCheckpoint
        if isFromCheckpoint { settings.timeout = min(settings.timeout ?? .seconds(600), .seconds(600)) }
        let login = settings
        do {
            let guest = try await scope.step(
                isFromCheckpoint ? "Reaching the guest again" : "Waiting for SSH",
                asking: { !isFromCheckpoint || isLoginRefused($0) }
            ) { try await scope.connector.connect(login, to: started.machine, services, keys, scope) }
            teardowns.add("close the \(guest) connection") { _ in await guest.close() }
            return .done(guest)
        } catch let error as BuildError where isFromCheckpoint && !isLoginRefused(error) {
            try Task.checkCancellation()
            return .restart(.unreachable("\(error.underlying)"))
        }
    }

    /// A guest that answers and refuses the login would do so after another installation as well.
    private func isLoginRefused(_ error: any Error) -> Bool {
        if case .loginRefused? = (error as? BuildError)?.underlying as? GuestError { true } else { false }
    }
}
