package import ProxmoxConfiguration
import Scopes

/// A machine's configuration, as the server gives it.
package struct MachineOptions: Sendable, Equatable {
    package var values: [String: String]
    package subscript(_ key: String) -> String? { values[key] }

    package var isTemplate: Bool { values["template"] == "1" }
    /// `create`, `clone`…, while something works on it.
    package var lock: String? { values["lock"] }
    package var description: String { values["description"] ?? "" }

    /// A field of an option of the form `uuid=…,base64=1`.
    package func field(_ name: String, of key: String) -> String? {
        values[key]?.split(separator: ",").first { $0.hasPrefix(name + "=") }
            .map { String($0.dropFirst(name.utf8.count + 1)) }
    }

    /// Volumes that belong to the machine without being attached, by option.
    package var unusedVolumes: [String: String] {
        values.filter { $0.key.hasPrefix("unused") && Int($0.key.dropFirst(6)) != nil }
    }
}

extension ProxmoxClient {
    /// A machine's configuration; nil if there is no such machine on the node.
    package func options(of vmid: Int, on node: String) async throws -> MachineOptions? {
        do {
            let answer: [String: JSONScalar] = try await call(
                APICall(
                    .GET, machinePath(vmid, node) + ["config"], to: "read the configuration of machine \(vmid)",
                    privileges: "`VM.Audit` on `/vms/\(vmid)`"))
            return MachineOptions(values: answer.mapValues(\.text))
        } catch let error as BuildError where (error.underlying as? APIRefusal)?.saysMissing == true {
            return nil
        }
    }

    /// Starts to create a machine.
    package func startCreation(
        of vmid: Int, on node: String, _ parameters: [(key: String, value: String)]
    ) async throws -> UPID {
        try await startTask(
            APICall(
                .POST, ["nodes", node, "qemu"], [("vmid", "\(vmid)")] + parameters,
                to: "create machine \(vmid) on node \(node)",
                privileges: "`VM.Allocate` on `/vms/\(vmid)` or on the pool"))
    }

    /// Starts to change options; `delete` is a key among them.
    ///
    /// - Returns: the task; nil if it is done.
    package func startChange(
        of vmid: Int, on node: String, _ parameters: [(key: String, value: String)]
    ) async throws -> UPID? {
        try await startTaskIfNeeded(
            APICall(
                .POST, machinePath(vmid, node) + ["config"], parameters, to: "change the options of machine \(vmid)",
                privileges: "the privileges `VM.Config.…` on `/vms/\(vmid)`"))
    }

    /// Starts to enlarge a disk.
    ///
    /// - Parameter size: `20G`, or `+2G`.
    /// - Returns: the task; nil if it is done.
    package func startResize(of slot: DriveSlot, to size: String, vmid: Int, on node: String) async throws -> UPID? {
        try await startTaskIfNeeded(
            APICall(
                .PUT, machinePath(vmid, node) + ["resize"], [("disk", slot.description), ("size", size)],
                to: "enlarge \(slot) of machine \(vmid) to \(size)", privileges: "`VM.Config.Disk` on `/vms/\(vmid)`"))
    }

    /// Starts to make a machine a template.
    ///
    /// - Returns: the task; nil if it is done.
    package func startTemplate(of vmid: Int, on node: String) async throws -> UPID? {
        try await startTaskIfNeeded(
            APICall(
                .POST, machinePath(vmid, node) + ["template"], to: "make machine \(vmid) a template",
                privileges: "`VM.Allocate` on `/vms/\(vmid)`"))
    }

    /// Starts to remove a machine with all its volumes.
    package func startRemoval(of vmid: Int, on node: String) async throws -> UPID {
        try await startTask(
            APICall(
                .DELETE, machinePath(vmid, node), [("purge", "1"), ("destroy-unreferenced-disks", "1")],
                to: "remove machine \(vmid)", privileges: "`VM.Allocate` on `/vms/\(vmid)`"))
    }

    private func machinePath(_ vmid: Int, _ node: String) -> [String] { ["nodes", node, "qemu", "\(vmid)"] }
}
