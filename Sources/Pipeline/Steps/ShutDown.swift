import ComponentModel
import Guests
import Libvirt
import Machines
import Scopes
import Templates

/// Turns the guest off in good order: by `shutdown_command`, else by the power button.
struct ShutDown: Sendable {
    let settings: ShutdownSettings
    let context: RunContext
    let data: RunData
    let reporter: Reporter

    /// - Throws: `BuildError` when the machine still runs after `shutdown_timeout`.
    func run(_ machine: RunningMachine, _ guest: (any Guest)?, _ activity: GuestActivity) async throws {
        guard let guest else {
            reporter.news("Waiting for the guest to power itself off (communicator = \"none\")")
            return try await machine.screen.whileAnswered(activity) {
                try await waitForEnd(of: machine, hint: "The guest's own installation must end with a power-off.")
            }
        }
        guard let command = settings.command else { return try await pressPowerButton(machine, guest) }
        let rendered = try context.render(command, data: data.templateData)
        reporter.news("Gracefully halting the machine...")
        try await guest.ensureConnected(timeout: .seconds(60))
        // The guest closes the connection while it goes down, so how the command ends says nothing, unless it fails. It
        // must not hold up the wait either: some guests go down without ending it.
        let running = Task {
            do { try await repeatUntilTaken(rendered, guest, machine) } catch {
                reporter.debug("the shutdown command was cut off: \(error)")
            }
        }
        defer { running.cancel() }
        try await waitForEnd(of: machine, hint: "Does shutdown_command power the guest off? It ran: \(command)")
    }

    /// A guest that has just booted may not be ready to go down: a command that fails is run again, with the power
    /// button after it.
    private func repeatUntilTaken(
        _ command: String, _ guest: any Guest, _ machine: RunningMachine
    ) async throws {
        while true {
            let exit = try await guest.run(command) { [reporter] in
                reporter.report(.guest(isError: $0.isError), printable($0.text))
            }
            reporter.debug("the shutdown command ended: \(exit)")
            guard case .code(let code) = exit, code != 0 else { return }
            // It may have done its work all the same.
            try await Task.sleep(for: .seconds(5))
            reporter.warn("shutdown_command ended with \(exit): pressing the power button, then running it again")
            try await machine.machine.pressPowerButton()
            try await Task.sleep(for: .seconds(10))
        }
    }

    private func waitForEnd(of machine: RunningMachine, hint: String) async throws {
        do {
            try await machine.machine.waitUntilStopped(timeout: settings.timeout)
        } catch let error as TimedOut {
            throw BuildError(
                operation: "shut the machine down", hint: hint + "\n  shutdown_timeout gives it more time.",
                underlying: error)
        }
    }

    private func pressPowerButton(_ machine: RunningMachine, _ guest: any Guest) async throws {
        reporter.news("No shutdown_command: pressing the power button (ACPI)")
        let pressing = Task {
            while !Task.isCancelled {
                try await machine.machine.pressPowerButton()
                try await Task.sleep(for: .seconds(10))
            }
        }
        defer { pressing.cancel() }
        do {
            try await machine.machine.waitUntilStopped(timeout: settings.timeout)
        } catch is TimedOut {
            reporter.warn(
                "the guest did not answer the power button for \(settings.timeout.text); cutting its power. "
                    + "A shutdown_command would end it in good order.")
            // What the guest still holds in memory would be lost with the power.
            do {
                try await guest.ensureConnected(timeout: .seconds(10))
                _ = try await guest.run(guest.dialect.flush, timeout: .seconds(60)) { _ in }
            } catch let error where !(error is CancellationError) {
                reporter.debug("the guest's memory was not written to its disks: \(error)")
            }
            try await machine.machine.destroy()
        }
    }
}
