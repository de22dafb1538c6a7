import Machines

/// Hands out PCI slots in the order in which QEMU would, on the machines whose places are known.
struct PCIPlaces {
    /// nil: libvirt places its devices by itself.
    private var slot: Int?
    /// For devices that are passed through where libvirt places its own: from the end of the bus, where it has none.
    private var lastSlot: Int?
    let video: XML?

    init(_ machine: MachineDescription) {
        let first = machine.isX86 ? (machine.isQ35 ? 1 : 2) : nil
        video = first.map(Self.place)
        slot = first.map { $0 + (machine.vga == "none" ? 0 : 1) }
        lastSlot = machine.architecture == "s390x" ? nil : 30
    }

    /// For a device of the machine's own.
    mutating func next() -> XML? {
        guard let current = slot else { return nil }
        slot = current + 1
        return Self.place(current)
    }

    /// For a device that is passed through; nil on machines without such a bus.
    mutating func nextPassed() -> String? {
        if let current = slot {
            slot = current + 1
            return Self.hexadecimal(current)
        }
        guard let current = lastSlot, current > 0 else { return nil }
        lastSlot = current - 1
        return Self.hexadecimal(current)
    }

    private static func place(_ slot: Int) -> XML {
        XML(
            "address",
            [
                ("type", "pci"), ("domain", "0x0000"), ("bus", "0x00"), ("slot", hexadecimal(slot)),
                ("function", "0x0"),
            ])
    }

    private static func hexadecimal(_ slot: Int) -> String {
        let digits = String(slot, radix: 16)
        return "0x" + (digits.count == 1 ? "0" : "") + digits
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
