import ProxmoxConfiguration
import Scopes

/// A template to delete, and what distinguishes it from another machine that may have its number by then.
struct OldTemplate: Sendable {
    struct Identity: Sendable, Equatable {
        var name: String?
        /// Given once, by the server if not by us.
        var uuid: String?
        var mark: TemplateMark?

        /// Nil if the machine is not a template.
        init?(_ options: MachineOptions) {
            guard options.isTemplate else { return nil }
            name = options["name"]
            uuid = options.field("uuid", of: "smbios1")?.lowercased()
            mark = TemplateMark(in: options.description)
        }
    }

    var vmid: Int
    var name: String
    var node: String
    var identity: Identity
}

extension ProxmoxClient {
    /// - Returns: nil if the template is gone since it was listed.
    func oldTemplate(_ machine: ProxmoxMachine) async throws -> OldTemplate? {
        guard let options = try await options(of: machine.vmid, on: machine.node),
            let identity = OldTemplate.Identity(options)
        else { return nil }
        return OldTemplate(vmid: machine.vmid, name: machine.name, node: machine.node, identity: identity)
    }

    /// Removes a template, if it is still the one that was found: hours may lie in between, and numbers are given again.
    ///
    /// - Parameter limit: for the task; nil is the pace's own.
    /// - Returns: whether it was still there.
    /// - Throws: `BuildError`, also when something else has its number, which stays.
    func remove(_ old: OldTemplate, limit: Duration? = nil) async throws -> Bool {
        let operation = "remove template \(old.vmid) (\(old.name))"
        guard let options = try await options(of: old.vmid, on: old.node) else { return false }
        guard OldTemplate.Identity(options) == old.identity else {
            throw BuildError(
                operation, because: "\(old.vmid) on node \(old.node) is no longer the template that was found",
                hint: "It was left alone. See what it is now, and remove it yourself if it shall go.")
        }
        let task = try await startRemoval(of: old.vmid, on: old.node)
        try await wait(for: task, to: operation, limit: limit)
        return true
    }
}
