import Foundation
package import Machines

extension Hypervisor {
    /// What must be the same, by name, for a memory image of this machine to start again.
    ///
    /// The machine's own description, of which the same holds, is not among it.
    package func memoryRequirements(of machine: MachineDescription) throws -> [String: String] {
        let versions = try versions()
        var result = [
            "libvirt": versions.libvirt, "qemu": versions.qemu, "accelerator": machine.accelerator.rawValue,
            "emulator": machine.emulator,
        ]
        // The version is of the usual emulator; another file of the same path tells itself by its length.
        var status = stat()
        if stat(machine.emulator, &status) == 0 { result["emulator size"] = String(status.st_size) }
        if machine.accelerator == .kvm {
            // Unreadable is as good as unknown: nothing else will be equal to it by chance.
            let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
            result.merge(HostCPU.properties(in: text)) { $1 }
        }
        return result
    }
}

/// The processor that a guest under KVM sees parts of.
package enum HostCPU {
    /// - Parameter text: /proc/cpuinfo.
    package static func properties(in text: String) -> [String: String] {
        let first = text.split(separator: "\n\n").first ?? ""
        var lines: [String: String] = [:]
        for line in first.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            lines[line[..<colon].trimmingCharacters(in: .whitespaces)] = value
        }
        // The latter of each are ARM's.
        let model = ["vendor_id", "cpu family", "model", "model name", "stepping", "CPU implementer", "CPU part"]
        let flags = (lines["flags"] ?? lines["Features"] ?? "").split(separator: " ").sorted().joined(separator: " ")
        return ["cpu": model.compactMap { lines[$0] }.joined(separator: " "), flagsName: flags]
    }

    fileprivate static let flagsName = "cpu flags"
}

/// Why memory that was kept under some requirements cannot be restored under those of this host; nil where it can.
package func memoryDifference(from kept: [String: String], to here: [String: String]) -> String? {
    for (name, value) in kept.sorted(by: { $0.key < $1.key }) where here[name] != value {
        guard name == HostCPU.flagsName, let now = here[name] else {
            return "\(name) was \(value), and is \(here[name] ?? "unknown") now"
        }
        func flags(_ text: String) -> Set<Substring> { Set(text.split(separator: " ")) }
        func list(_ flags: Set<Substring>) -> String { flags.sorted().joined(separator: ", ") }
        // Older checkpoints hold a digest of the flags.
        guard flags(value).count > 1 else { return "the host's processor has other features" }
        let (lost, gained) = (flags(value).subtracting(flags(now)), flags(now).subtracting(flags(value)))
        let parts = [
            lost.isEmpty ? nil : "no longer has \(list(lost))", gained.isEmpty ? nil : "now has \(list(gained))",
        ]
        return "the host's processor " + parts.compactMap(\.self).joined(separator: ", and ")
    }
    return nil
}
