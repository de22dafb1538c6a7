/// What stands after `-cpu`, as far as libvirt can say it.
package struct CPUModel {
    package var name: String
    package var features: [(name: String, isOn: Bool)] = []

    /// Reads `Nehalem,+aes,-cx16,vmx=on`.
    ///
    /// - Returns: nil for what only QEMU knows: Hyper-V enlightenments, settings that are no flags.
    package init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard let model = parts.first, !model.isEmpty, !model.contains("=") else { return nil }
        name = model
        for part in parts.dropFirst() {
            let name: String
            let isOn: Bool
            if part.hasPrefix("+") || part.hasPrefix("-") {
                (name, isOn) = (String(part.dropFirst()), part.hasPrefix("+"))
            } else if part.hasSuffix("=on") || part.hasSuffix("=off") {
                isOn = part.hasSuffix("=on")
                name = String(part.dropLast(isOn ? 3 : 4))
            } else {
                return nil
            }
            guard !name.isEmpty, !name.contains("="), !Self.isQEMUsOwn(name) else { return nil }
            features.append((name, isOn))
        }
    }

    /// Switches of QEMU's that look like features of a processor and are none, and names of features that libvirt spells
    /// otherwise.
    private static func isQEMUsOwn(_ name: String) -> Bool {
        let names: Set = [
            "check", "enforce", "ffxsr", "fill-mtrr-mask", "full-cpuid-auto-level", "host-cache-info", "host-phys-bits",
            "i64", "kvm",
            "l3-cache", "legacy-cache", "lmce", "migratable", "pclmulqdq", "pmu", "sse4-1", "sse4-2", "tcg-cpuid",
            "vmware-cpuid-freq", "xd",
        ]
        return names.contains(name) || name.contains { $0 == "_" || $0 == "." } || name.hasPrefix("hv-")
            || name.hasPrefix("kvm-") || name.hasPrefix("x-")
    }
}
