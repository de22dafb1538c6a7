import Scopes

/// A value that the server would refuse, and why.
package struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
    /// The option as `qemu-server.conf` calls it, such as `net0`.
    package var option: String
    package var reason: String
    package var description: String { "\(option): \(reason)" }
}

extension ConfigurationProblem {
    var error: BuildError {
        BuildError("describe the machine", because: description, hint: "Correct the options named.")
    }
}

extension MachineConfiguration {
    /// - Throws: one error that lists every problem.
    package func validate(forArchive: Bool = false) throws {
        let found = problems(forArchive: forArchive)
        guard !found.isEmpty else { return }
        throw BuildError(
            "describe the machine \(name)", because: found.map(\.description).joined(separator: "; "),
            hint: "Correct the options named. Proxmox VE would refuse them or drop them silently.")
    }
}
