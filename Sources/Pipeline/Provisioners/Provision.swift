import ComponentModel
import Guests
import Libvirt
import Machines
import Scopes
import Templates

/// Runs one provisioner with its pause, timeout and retries.
struct Provision: Sendable {
    let planned: PlannedProvisioner
    let build: PlannedBuild
    let data: RunData
    let context: RunContext
    let reporter: Reporter
    let attendant: Attendant

    /// - Throws: The first attempt's error once all attempts have failed, unless `continue_on_error` is set.
    func run(_ guest: (any Guest)?) async throws {
        do {
            try await attempts(guest)
        } catch let error where planned.continueOnError && !(error is CancellationError) {
            reporter.warn("Provisioner \(planned.type) failed, going on (continue_on_error): \(error)")
        }
    }

    private func attempts(_ guest: (any Guest)?) async throws {
        var first: (any Error)?
        for left in stride(from: planned.maxRetries, through: 0, by: -1) {
            do {
                if let pause = planned.pauseBefore {
                    reporter.news("Pausing \(pause.text) before the next provisioner...")
                    try await Task.sleep(for: pause)
                }
                if let timeout = planned.timeout {
                    reporter.news("Setting a \(timeout.text) timeout for the next provisioner...")
                }
                try await withDeadline(planned.timeout, "running the provisioner \(planned.type)") {
                    try await once(guest)
                }
                return
            } catch let error where !(error is CancellationError) && !(error is MachineStopped) {
                let shown = first ?? error
                first = shown
                if left > 0 {
                    let tries = left == 1 ? "1 try" : "\(left) tries"
                    reporter.news("Provisioner failed with \"\(shown)\", retrying with \(tries) left")
                }
            }
        }
        if planned.maxRetries > 0 { reporter.news("retry limit reached.") }
        if let first { throw first }
    }

    private func once(_ guest: (any Guest)?) async throws {
        switch try planned.settings(data) {
        case .shell(let settings):
            try await RunShellScript(
                settings: settings, build: build, data: data, context: context, reporter: reporter
            ).run(try required(guest))
        case .file(let settings):
            try await TransferFiles(settings: settings, data: data, context: context, reporter: reporter)
                .run(try required(guest))
        case .shellLocal(let settings):
            try await RunLocalScript(
                settings: settings, build: build, data: data, context: context, reporter: reporter
            ).run()
        case .breakpoint(let note, let isDisabled):
            try await attendant.breakpoint(note, isDisabled: isDisabled, reporter: reporter)
        case .sleep(let duration):
            reporter.news("Sleeping \(duration.text)...")
            try await Task.sleep(for: duration)
        }
    }

    private func required(_ guest: (any Guest)?) throws -> any Guest {
        guard let guest else {
            throw BuildError(
                "run the provisioner \(planned.type)", because: "the communicator is \"none\"",
                hint: "Set communicator = \"ssh\", or leave this provisioner out with `except`.")
        }
        return guest
    }
}
