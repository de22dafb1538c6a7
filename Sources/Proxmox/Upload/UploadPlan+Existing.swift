import Foundation
import ProxmoxConfiguration
import Scopes

extension ProxmoxClient {
    /// Finds what is in the way of the new template, and decides what becomes of it.
    func planExisting(_ plan: inout UploadPlan) async throws {
        let (family, name) = (plan.upload.machine.name, plan.machine.name)
        let machines = try await machines()
        let sameID = machines.first { $0.vmid == plan.machine.vmid }
        let sameName = machines.filter { $0.isTemplate && $0.name == name }
        if let sameID, !sameID.isTemplate {
            throw BuildError(
                plan.operation, because: "machine \(sameID.vmid) (\(sameID.name)) exists and is not a template",
                hint: "Choose another vm_id, or leave it out to take the next free one.")
        }
        switch plan.upload.existing {
        case .refuse:
            guard let other = sameID ?? sameName.first else { return }
            throw BuildError(
                plan.operation, because: "template \(other.vmid) (\(other.name)) exists on node \(other.node)",
                hint: "Choose another name or number, or say that it shall be replaced or versioned.")
        case .replace(let any):
            for victim in sameName.filter({ $0.vmid != sameID?.vmid }) + (sameID.map { [$0] } ?? []) {
                guard let old = try await oldTemplate(victim) else { continue }
                guard any || old.identity.mark?.family == family else {
                    throw BuildError(
                        plan.operation,
                        because:
                            "template \(victim.vmid) (\(victim.name)) on node \(victim.node) was not made by Ingot "
                            + "under this name",
                        hint: "Remove it yourself, choose another name or number, or force its replacement.")
                }
                if old.vmid == sameID?.vmid { plan.evicted = old } else { plan.replaced.append(old) }
            }
        case .version:
            if let other = sameID ?? sameName.first {
                throw BuildError(
                    plan.operation, because: "template \(other.vmid) (\(other.name)) exists already",
                    hint:
                        "Leave out vm_id, so that each version has a number of its own, and give each a label of its own."
                )
            }
            var marked: [(old: OldTemplate, made: Int64)] = []
            for machine in machines
            where machine.isTemplate && (machine.name == family || machine.name.hasPrefix(family + "-")) {
                guard let old = try await oldTemplate(machine), let mark = old.identity.mark else { continue }
                if mark.family == family { marked.append((old, mark.made)) }
            }
            plan.versions = marked.sorted { ($0.made, $0.old.vmid) > ($1.made, $1.old.vmid) }.map(\.old)
        }
    }
}
