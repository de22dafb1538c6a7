import Foundation
import Libvirt
import Machines
import Scopes
import Testing

extension DomainTests {
    @Test(
        "the devices have the PCI places of Packer's machine",
        arguments: [
            ("pc", ["VGA": 2, "Ethernet": 3, "SCSI": 4]), ("q35", ["VGA": 1, "Ethernet": 2, "SCSI": 3]),
        ])
    func places(_ type: String, _ expected: [String: Int]) async throws {
        try await withBootDisk { disk, _ in
            try await withMachine {
                $0.machineType = type
                $0.disks = [disk]
            } _: { domain, _ in
                let found = try await places(of: expected.keys, in: domain)
                #expect(found == expected)
            }
        }
    }

    @Test("cards of the template's own come before the disk, as in Packer's machine")
    func placesOfPassedDevices() async throws {
        try await withBootDisk { disk, _ in
            try await withMachine {
                $0.disks = [disk]
                $0 = applied(
                    [
                        ("-netdev", "user,id=user.0"), ("-netdev", "user,id=second"),
                        ("-device", "virtio-net,netdev=user.0,bus=pci.0"), ("-device", "usb-ehci"),
                        ("-nic", "user,model=pcnet,mac=52:54:00:00:00:01"), ("-net", "nic,model=rtl8139"),
                        ("-net", "user"),
                        ("-device", "e1000,netdev=second,addr=0x10"),
                    ], to: $0)
            } _: { domain, _ in
                let expected = ["VGA": 2, "USB": 4, "SCSI": 7]
                let found = try await places(of: expected.keys, in: domain)
                #expect(found == expected)
                let listing = try await domain.monitor("info pci")
                let cards = listing.matches(of: /device +([0-9]+), function 0:\s+Ethernet/).map { String($0.1) }
                #expect(cards == ["3", "5", "6", "16"])
            }
        }
    }

    @Test("a machine boots from its disk on every bus", arguments: ["ide", "sata", "scsi", "virtio", "virtio-scsi"])
    func boot(bus: String) async throws {
        try await withBootDisk { disk, serial in
            try await withMachine {
                $0.disks = [disk]
                $0.disks[0].bus = MachineDescription.Disk.Bus(rawValue: bus) ?? .virtio
                $0.machineType = bus == "sata" ? "q35" : "pc"
                $0.serialPath = serial
            } _: { _, _ in
                try await waitForBoot(serial)
            }
        }
    }

    @Test("a machine boots from a drive of the template's own", arguments: ["virtio", "ide"])
    func bootFromOwnDrive(interface: String) async throws {
        try await withBootDisk { disk, serial in
            try await withMachine {
                $0.disks = [disk]
                $0.serialPath = serial
                $0 = applied([("-drive", "file=\(disk.path),if=\(interface),format=raw")], to: $0)
            } _: { _, _ in
                try await waitForBoot(serial)
            }
        }
    }

    @Test("a port is forwarded to a card of the template's own")
    func forwardToOwnCard() async throws {
        try await withMachine {
            $0 = applied([("-device", "virtio-net-pci,netdev=user.0")], to: $0)
        } _: { domain, _ in
            try await domain.addPortForward(hostPort: 23457, guestPort: 22)
            let network = try await domain.monitor("info usernet")
            #expect(network.contains("23457"))
        }
    }

    @Test("a processor that only QEMU knows how to name, and one whose cores are fewer than there is room for")
    func processors() async throws {
        try await withMachine {
            $0.cpu = "host,hv_relaxed,-cx16"
            ($0.cpus, $0.cores) = (2, 4)
        } _: { domain, _ in
            let processors = try await domain.monitor("info cpus")
            #expect(processors.matches(of: /CPU #/).count == 2)
        }
    }

    private func applied(_ rows: [(String, String)], to machine: MachineDescription) -> MachineDescription {
        QemuArguments(rows.map { (flag: $0.0, value: $0.1) }).applied(to: machine).machine
    }

    /// The slots on the first bus of controllers by their kind.
    private func places(of kinds: some Sequence<String>, in domain: Domain) async throws -> [String: Int] {
        var device = -1
        var found: [String: Int] = [:]
        for line in try await domain.monitor("info pci").split(whereSeparator: \.isNewline) {
            if let match = line.firstMatch(of: /Bus +0, device +([0-9]+)/) { device = Int(match.1) ?? -1 }
            for kind in kinds where line.contains(kind + " controller") { found[kind] = device }
        }
        return found
    }

    /// A disk whose boot sector writes "ok" to the first serial port, and a place for what is written there.
    private func withBootDisk(_ body: (MachineDescription.Disk, _ serial: String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "ingot-\(UUID().uuidString)"
        // mov dx, 3F8h; mov al, 'o'; out dx, al; mov al, 'k'; out dx, al; hlt; jmp to the hlt
        let code: [UInt8] = [0xBA, 0xF8, 0x03, 0xB0, 0x6F, 0xEE, 0xB0, 0x6B, 0xEE, 0xF4, 0xEB, 0xFD]
        var bytes = code + [UInt8](repeating: 0, count: (1 << 20) - code.count)
        (bytes[510], bytes[511]) = (0x55, 0xAA)
        try Data(bytes).write(to: URL(filePath: path))
        defer { for file in [path, path + ".serial"] { unlink(file) } }
        let disk = MachineDescription.Disk(
            path: path, format: "raw", bus: .virtio, cache: "unsafe", discard: "ignore", detectZeroes: "off")
        try await body(disk, path + ".serial")
    }

    private func waitForBoot(_ serial: String) async throws {
        try await poll("waiting for the boot sector", every: .milliseconds(100), limit: .seconds(60)) {
            // The file comes with the machine.
            let text = (try? String(contentsOfFile: serial, encoding: .utf8)) ?? ""
            return text.contains("ok") ? () : nil
        }
    }
}
