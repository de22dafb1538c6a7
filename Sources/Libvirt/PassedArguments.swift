import Machines

/// Arguments that are passed through to QEMU, with the PCI devices among them in the places that Packer's command line would
/// give them.
///
/// QEMU creates these devices before those that libvirt names. Left to themselves they take the places of the machine's
/// own, and the machine does not start.
struct PassedArguments {
    private(set) var all: [String]
    private let isX86: Bool

    init(_ machine: MachineDescription) {
        all = []
        isX86 = machine.isX86
        for (index, argument) in machine.arguments.enumerated() {
            if index > 0, machine.arguments[index - 1] == "-nic",
                let card = Self.spelledOut(argument, all.count, machine)
            {
                all.removeLast()
                all += card
            } else {
                all.append(argument)
            }
        }
    }

    /// `-nic` as the two switches that it stands for: it has no word for a place.
    private static func spelledOut(_ value: String, _ number: Int, _ machine: MachineDescription) -> [String]? {
        var options = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard let kind = options.first, kind != "none" else { return nil }
        func take(_ name: String) -> String? {
            guard let index = options.firstIndex(where: { $0.hasPrefix(name + "=") }) else { return nil }
            return String(options.remove(at: index).dropFirst(name.count + 1))
        }
        let id = take("id") ?? "passednet\(number)"
        let usual = machine.isX86 ? (machine.isQ35 ? "e1000e" : "e1000") : "virtio-net-pci"
        let model = take("model") ?? usual
        let address = take("mac").map { ",mac=\($0)" } ?? ""
        let card = model == "virtio" ? "virtio-net-pci" : model
        return [
            "-netdev", (options + ["id=\(id)"]).joined(separator: ","), "-device", "\(card),netdev=\(id)\(address)",
        ]
    }

    /// Places network cards and other devices, which come before the machine's own.
    mutating func placeDevices(_ places: inout PCIPlaces) {
        for index in all.indices.dropLast() where Self.needsPlace(all[index], all[index + 1]) {
            guard let place = places.nextPassed() else { return }
            all[index + 1] += ",addr=\(place)"
        }
    }

    /// Places virtio drives, which come after the machine's own devices: each becomes a device of its own.
    mutating func placeDrives(_ places: inout PCIPlaces) {
        var placed: [String] = []
        var number = 0
        for (index, argument) in all.enumerated() {
            placed.append(argument)
            guard index > 0, all[index - 1] == "-drive" else { continue }
            var options = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            let interface = options.firstIndex { $0.hasPrefix("if=") }
            // What is said nothing of is an IDE drive on a PC, and virtio elsewhere.
            let isVirtio = interface.map { options[$0] == "if=virtio" } ?? !isX86
            guard isVirtio, let place = places.nextPassed() else { continue }
            if let interface { options[interface] = "if=none" } else { options.append("if=none") }
            let id: String
            if let given = options.first(where: { $0.hasPrefix("id=") }) {
                id = String(given.dropFirst(3))
            } else {
                id = "passed\(number)"
                number += 1
                options.append("id=\(id)")
            }
            placed.removeLast()
            placed += [options.joined(separator: ","), "-device", "virtio-blk-pci,drive=\(id),addr=\(place)"]
        }
        all = placed
    }

    private static func needsPlace(_ flag: String, _ value: String) -> Bool {
        let options = value.split(separator: ",").map(String.init)
        let isElsewhere = options.contains { option in
            option.hasPrefix("addr=") || option.hasPrefix("bus=") && option != "bus=pci.0" && option != "bus=pcie.0"
        }
        guard let first = options.first, !isElsewhere else { return false }
        switch flag {
        case "-net": return first == "nic"
        case "-device": return isPCI(first.replacing("driver=", with: ""))
        default: return false
        }
    }

    /// Whether a device of QEMU's goes on a PCI bus; of the rare ones nothing is known.
    private static func isPCI(_ name: String) -> Bool {
        let names: Set = [
            "AC97", "ES1370", "VGA", "ahci", "bochs-display", "cirrus-vga", "e1000", "e1000e", "ich9-ahci",
            "ich9-intel-hda", "igb", "intel-hda", "ioh3420", "ivshmem-doorbell", "ivshmem-plain", "lsi", "megasas",
            "megasas-gen2", "mptsas1068", "ne2k_pci", "nvme", "pci-bridge", "pcie-root-port", "pcnet", "pvscsi", "qxl",
            "rtl8139", "secondary-vga", "tulip", "virtio-9p", "virtio-balloon", "virtio-blk", "virtio-gpu",
            "virtio-keyboard", "virtio-mouse", "virtio-net", "virtio-rng", "virtio-scsi", "virtio-serial",
            "virtio-tablet", "virtio-vga", "vmware-svga", "vmxnet3",
        ]
        return names.contains(name) || name.hasSuffix("-pci") || name.hasSuffix("-ehci") || name.hasSuffix("-ohci")
            || name.hasSuffix("-xhci") || name.hasPrefix("e1000-") || name.hasPrefix("i8255")
            || name.hasPrefix("ich9-usb-") || name.hasPrefix("lsi53c8")
    }
}
