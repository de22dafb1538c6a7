import ProxmoxConfiguration
import Scopes

/// A privilege that an upload needs.
struct NeededPrivilege: Sendable {
    /// Any of them will do.
    var names: [String]
    /// Any of them will do.
    var paths: [String]

    var text: String {
        names.map { "“\($0)”" }.joined(separator: " or ") + " on " + paths.map { "“\($0)”" }.joined(separator: " or ")
    }

    /// All that an upload of `machine` under the number `vmid` needs.
    ///
    /// - Parameter importStorage: where the images are uploaded to, if they are.
    static func all(
        for machine: MachineConfiguration, vmid: Int, version: ProxmoxVersion, importStorage: String?
    ) -> [NeededPrivilege] {
        let paths = ["/vms/\(vmid)"] + (machine.pool.map { ["/pool/\($0)"] } ?? [])
        var names = [
            ["VM.Allocate"], ["VM.Audit"], ["VM.Config.Options"], ["VM.Config.Disk"], ["VM.Config.CPU"],
            ["VM.Config.Memory"], ["VM.Config.HWType"],
        ]
        if !machine.networks.isEmpty { names.append(["VM.Config.Network"]) }
        if machine.cloudInit != nil {
            names.append(["VM.Config.CDROM"])
            names.append(["VM.Config.Cloudinit", "VM.Config.Network"])
        }
        var needed = names.map { NeededPrivilege(names: $0, paths: paths) }
        for storage in machine.storages.sorted() {
            needed.append(.init(names: ["Datastore.AllocateSpace"], paths: ["/storage/\(storage)"]))
        }
        if let importStorage {
            needed.append(.init(names: ["Datastore.AllocateTemplate"], paths: ["/storage/\(importStorage)"]))
            // Without it the uploaded file could not be removed again.
            needed.append(.init(names: ["Datastore.Allocate"], paths: ["/storage/\(importStorage)"]))
        }
        if version >= .guardsBridges {
            // Other names may be virtual networks, whose zone is not known here.
            for network in machine.networks where network.bridge.hasPrefix("vmbr") {
                let bridge = "/sdn/zones/localnetwork/\(network.bridge)"
                needed.append(.init(names: ["SDN.Use"], paths: [network.vlan.map { "\(bridge)/\($0)" } ?? bridge]))
            }
        }
        return needed
    }
}

extension ProxmoxClient {
    /// - Throws: one `BuildError` that lists every privilege that is missing.
    func check(_ needed: [NeededPrivilege], for operation: String) async throws {
        var held: [String: Set<String>] = [:]
        for path in Set(needed.flatMap(\.paths)).sorted() { held[path] = try await privileges(on: path) }
        let missing = needed.filter { need in
            !need.paths.contains { path in need.names.contains { held[path, default: []].contains($0) } }
        }
        guard !missing.isEmpty else { return }
        let who =
            switch server.credentials {
            case .token(let id, _):
                "the user “\(id.prefix { $0 != "!" })” and, if the token has privilege separation, the token “\(id)”"
            case .password(let user, _): "“\(user)”"
            }
        let roles = Set(missing.flatMap(\.names).compactMap(RefusalAdvice.role)).sorted().joined(separator: ", ")
        throw BuildError(
            operation, because: "these privileges are missing: " + missing.map(\.text).joined(separator: "; "),
            hint: "Grant them to \(who) (Datacenter > Permissions)"
                + (roles.isEmpty ? "." : "; the roles \(roles) hold them.") + " Nothing was changed.")
    }
}
