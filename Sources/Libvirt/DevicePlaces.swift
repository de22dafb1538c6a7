/// Hands out PCI slots in the order in which QEMU would, on the machines whose places are known.
struct PCIPlaces {
    private var slot: Int?
    let video: XML?

    init(_ machine: MachineDescription) {
        let first = machine.isX86 ? (machine.isQ35 ? 1 : 2) : nil
        video = first.map(Self.place)
        // Devices that are passed through take the first free slots, before those of the machine itself.
        let passedThrough = machine.arguments.indices.dropLast().count { index in
            machine.arguments[index] == "-device" && Self.takesSlot(machine.arguments[index + 1])
        }
        slot = first.map { $0 + (machine.vga == "none" ? 0 : 1) + passedThrough }
    }

    mutating func next() -> XML? {
        guard let current = slot else { return nil }
        slot = current + 1
        return Self.place(current)
    }

    /// Whether QEMU finds a slot of the root bus for a device.
    private static func takesSlot(_ device: String) -> Bool {
        let options = device.split(separator: ",").map(String.init)
        let name = options.first?.replacing("driver=", with: "") ?? ""
        let isPlaced = options.contains { $0.hasPrefix("addr=") || $0.hasPrefix("bus=") }
        let names: Set = [
            "AC97", "ES1370", "ac97", "ahci", "e1000", "e1000e", "ich9-ahci", "ich9-intel-hda", "igb", "intel-hda",
            "lsi",
            "megasas", "megasas-gen2", "mptsas1068", "ne2k_pci", "nvme", "pcnet", "pvscsi", "rtl8139", "tulip",
            "virtio-9p", "virtio-balloon", "virtio-blk", "virtio-gpu", "virtio-keyboard", "virtio-net", "virtio-rng",
            "virtio-scsi", "virtio-serial", "virtio-tablet", "vmxnet3",
        ]
        let isPCI =
            names.contains(name) || name.hasSuffix("-pci") || name.hasSuffix("-ehci") || name.hasSuffix("-uhci")
            || name.hasSuffix("-xhci") || name.hasPrefix("e1000-") || name.hasPrefix("i8255")
            || name.hasPrefix("lsi53c8")
        return isPCI && !isPlaced
    }

    private static func place(_ slot: Int) -> XML {
        let digits = String(slot, radix: 16)
        return XML(
            "address",
            [
                ("type", "pci"), ("domain", "0x0000"), ("bus", "0x00"),
                ("slot", "0x" + (digits.count == 1 ? "0" : "") + digits), ("function", "0x0"),
            ])
    }
}

/// Drive names by prefix: vda, vdb, … vdz, vdaa.
struct DriveNames {
    private var used: [String: Int] = [:]

    mutating func next(_ prefix: String) -> String {
        var number = used[prefix, default: 0]
        used[prefix] = number + 1
        var letters = ""
        repeat {
            letters = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(number % 26))) + letters
            number = number / 26 - 1
        } while number >= 0
        return prefix + letters
    }
}
