import Foundation
package import Machines
import Scopes

/// The libvirt domain that shows the guest the hardware of Packer's default machine.
///
/// PCI places are written out, because guests name their interfaces by them: on `pc` VGA 00:02.0, then network and disks
/// from 00:03.0; on `q35` VGA 00:01.0, then from 00:02.0, all on the root bus.
package func domainXML(_ machine: MachineDescription) -> String {
    DomainComposer(machine: machine).domain.document
}

private struct DomainComposer {
    let machine: MachineDescription

    var domain: XML {
        var places = PCIPlaces(machine)
        var passed = PassedArguments(machine)
        passed.placeDevices(&places)
        let devices = devices(&places)
        passed.placeDrives(&places)
        let arguments = passed.all + ownArguments
        var children = [XML("name", text: machine.name)]
        if let uuid = machine.uuid { children.append(XML("uuid", text: uuid)) }
        children += [
            XML("memory", [("unit", "MiB")], text: String(machine.memory)),
            vcpu,
            os,
        ]
        if machine.isX86 { children.append(XML("features", [], features)) }
        if let cpu { children.append(cpu) }
        children += [
            XML("clock", [("offset", "utc")]),
            XML("on_poweroff", text: "destroy"), XML("on_reboot", text: "restart"), XML("on_crash", text: "destroy"),
            XML("devices", [], devices),
        ]
        if !arguments.isEmpty {
            children.append(XML("qemu:commandline", [], arguments.map { XML("qemu:arg", [("value", $0)]) }))
        }
        return XML(
            "domain",
            [
                ("type", machine.accelerator == .kvm ? "kvm" : "qemu"),
                ("xmlns:qemu", "http://libvirt.org/schemas/domain/qemu/1.0"),
            ], children)
    }

    /// The processors the machine starts with, of as many as the topology has room for.
    ///
    /// As in Packer: without a number the topology gives it, and a number above it is lowered.
    private var vcpu: XML {
        guard let topology else { return XML("vcpu", text: String(max(1, machine.cpus))) }
        let room = topology.reduce(1, *)
        let isPartial = machine.cpus > 0 && machine.cpus < room
        return XML("vcpu", [("current", isPartial ? String(machine.cpus) : nil)], text: String(room))
    }

    /// Sockets, cores and threads, where any is given.
    private var topology: [Int]? {
        let terms = [machine.sockets, machine.cores, machine.threads]
        return terms.contains { $0 > 0 } ? terms.map { min(max(1, $0), 4096) } : nil
    }

    /// What libvirt has no word for.
    private var ownArguments: [String] {
        var arguments: [String] = []
        // By default QEMU hands the guest one key event every 10 ms: 50 characters a second. `Typist` has its own pace.
        if machine.screen != nil { arguments += ["-set", "vnc.default.key-delay-ms=1"] }
        // Options after the type, as in "virt,highmem=off".
        if let comma = machine.machineType.firstIndex(of: ",") {
            arguments += ["-machine", String(machine.machineType[comma...].dropFirst())]
        }
        if case .file(let path, isFlash: false) = machine.firmware, !path.hasPrefix("/") {
            arguments += ["-bios", path]
        }
        if let cpu = machine.cpu, CPUModel(cpu) == nil {
            // Without KVM there is no "host", and "max" is the nearest.
            let isHost = machine.accelerator == .tcg && cpu.prefix { $0 != "," } == "host"
            arguments += ["-cpu", isHost ? "max" + cpu.dropFirst(4) : cpu]
        }
        return arguments
    }

    private var os: XML {
        let type = XML(
            "type", [("arch", machine.architecture), ("machine", String(machine.machineType.prefix { $0 != "," }))],
            text: "hvm")
        switch machine.firmware {
        case .bios: return XML("os", [], [type])
        // A name without a folder is one of QEMU's own files, which it finds by itself.
        case .file(let path, isFlash: false) where !path.hasPrefix("/"): return XML("os", [], [type])
        case .file(let path, let isFlash):
            let loader = XML("loader", [("readonly", "yes"), ("type", isFlash ? "pflash" : "rom")], text: path)
            return XML("os", [], [type, loader])
        case .efi(let code?, let template, let vars):
            return XML(
                "os", [],
                [
                    type, XML("loader", [("readonly", "yes"), ("type", "pflash")], text: code),
                    XML("nvram", [("template", template)], text: vars),
                ])
        case .efi(nil, let template, let vars):
            let features = ["secure-boot", "enrolled-keys"].map { XML("feature", [("enabled", "no"), ("name", $0)]) }
            return XML(
                "os", [("firmware", "efi")],
                [type, XML("firmware", [], features), XML("nvram", [("template", template)], text: vars)])
        }
    }

    private var features: [XML] {
        var features = [XML("acpi"), XML("apic")]
        // Firmware that was built for Secure Boot does not start without it.
        if case .efi(let code?, _, _) = machine.firmware, machine.isQ35,
            code.contains("secboot") || code.contains(".ms.")
        {
            features.append(XML("smm", [("state", "on")]))
        }
        return features
    }

    private var cpu: XML? {
        var parts: [XML] = []
        if let topology {
            let names = ["sockets", "cores", "threads"]
            parts.append(XML("topology", zip(names, topology).map { ($0, String($1)) }))
        }
        guard let model = machine.cpu.flatMap(CPUModel.init) else {
            return parts.isEmpty ? nil : XML("cpu", [], parts)
        }
        parts += model.features.map { feature in
            XML("feature", [("policy", feature.isOn ? "require" : "disable"), ("name", feature.name)])
        }
        switch (model.name, machine.accelerator) {
        case ("host", .kvm):
            // A machine that is not migratable cannot be frozen. On other processors QEMU has no such property.
            let migratable = ("migratable", machine.isX86 ? "on" : nil)
            return XML("cpu", [("mode", "host-passthrough"), ("check", "none"), migratable], parts)
        case ("host", .tcg), ("max", _): return XML("cpu", [("mode", "maximum"), ("check", "none")], parts)
        default:
            return XML(
                "cpu", [("mode", "custom"), ("match", "exact"), ("check", "none")],
                [XML("model", [("fallback", "forbid")], text: model.name)] + parts)
        }
    }

    private func devices(_ places: inout PCIPlaces) -> [XML] {
        var devices = [XML("emulator", text: machine.emulator)]
        var names = DriveNames()
        let hasVirtioSCSI =
            machine.disks.contains { $0.bus == .virtioSCSI } || !machine.cdroms.isEmpty && cdromBus == .scsi
        // The order of Packer's command line: SCSI controllers, the network card, then virtio disks.
        if hasVirtioSCSI { devices.append(controller("scsi", model: "virtio-scsi", at: places.next())) }
        if !hasVirtioSCSI, machine.disks.contains(where: { $0.bus == .scsi }) {
            devices.append(controller("scsi", model: "lsilogic", at: places.next()))
        }
        if let card = networkCard(at: machine.network == .none ? nil : places.next()) { devices.append(card) }
        for (index, disk) in machine.disks.enumerated() {
            devices.append(drive(disk, index: index, &names, &places))
        }
        for path in machine.cdroms { devices.append(cdrom(path, &names)) }
        if let floppy = machine.floppy {
            devices.append(
                XML(
                    "disk", [("type", "file"), ("device", "floppy")],
                    [
                        XML("driver", [("name", "qemu"), ("type", "raw")]), XML("source", [("file", floppy)]),
                        XML("target", [("dev", "fda"), ("bus", "fdc")]),
                    ]))
        }
        if let path = machine.serialPath {
            devices.append(
                XML(
                    "serial", [("type", "file")],
                    [XML("source", [("path", path), ("append", "on")]), XML("target", [("port", "0")])]))
        }
        devices += screen
        if let tpm = machine.tpm {
            devices.append(
                XML("tpm", [("model", tpm.model)], [XML("backend", [("type", "emulator"), ("version", tpm.version)])]))
        }
        // Packer's machine has neither.
        if machine.isX86 { devices.append(XML("controller", [("type", "usb"), ("model", "none")])) }
        devices.append(XML("memballoon", [("model", "none")]))
        return devices
    }

    private func controller(_ type: String, model: String, at place: XML?) -> XML {
        XML("controller", [("type", type), ("index", "0"), ("model", model)], [place].compactMap { $0 })
    }

    private func networkCard(at place: XML?) -> XML? {
        func model(_ name: String) -> XML {
            XML("model", [("type", name == "virtio-net" || name == "virtio-net-pci" ? "virtio" : name)])
        }
        switch machine.network {
        case .none: return nil
        case .user(let name):
            // The address QEMU itself would give: images that remember it find it again.
            let mac = XML("mac", [("address", "52:54:00:12:34:56")])
            return XML("interface", [("type", "user")], [mac, model(name), place].compactMap { $0 })
        case .bridge(let bridge, let name):
            return XML(
                "interface", [("type", "bridge")],
                [XML("source", [("bridge", bridge)]), model(name), place].compactMap { $0 })
        }
    }

    private func drive(
        _ disk: MachineDescription.Disk, index: Int, _ names: inout DriveNames, _ places: inout PCIPlaces
    ) -> XML {
        let (bus, prefix) =
            switch disk.bus {
            case .virtio: ("virtio", "vd")
            case .virtioSCSI, .scsi: ("scsi", "sd")
            case .sata: ("sata", "sd")
            case .sd: ("sd", "sd")
            case .ide: machine.isQ35 ? ("sata", "sd") : ("ide", "hd")
            }
        var children = [
            XML(
                "driver",
                [
                    ("name", "qemu"), ("type", disk.format), ("cache", disk.cache), ("discard", disk.discard),
                    ("detect_zeroes", disk.detectZeroes == "off" ? nil : disk.detectZeroes),
                ]),
            XML("source", [("file", disk.path)]),
            XML("target", [("dev", names.next(prefix)), ("bus", bus)]),
        ]
        if index == 0 { children.append(XML("boot", [("order", machine.bootsFromCDFirst ? "2" : "1")])) }
        if disk.bus == .virtio, let place = places.next() { children.append(place) }
        return XML("disk", [("type", "file"), ("device", "disk")], children)
    }

    private func cdrom(_ path: String, _ names: inout DriveNames) -> XML {
        var children = [
            XML("driver", [("name", "qemu"), ("type", "raw")]), XML("source", [("file", path)]),
            XML("target", [("dev", names.next(cdromBus == .ide ? "hd" : "sd")), ("bus", cdromBus.rawValue)]),
            XML("readonly"),
        ]
        if path == machine.cdroms.first {
            children.append(XML("boot", [("order", machine.bootsFromCDFirst ? "1" : "2")]))
        }
        return XML("disk", [("type", "file"), ("device", "cdrom")], children)
    }

    private var cdromBus: MachineDescription.CDROMBus {
        guard machine.isX86 else { return .scsi }
        switch machine.cdromBus {
        // A q35 board has no IDE.
        case .ide where machine.isQ35, nil: return machine.isQ35 ? .sata : .ide
        case let bus?: return bus
        }
    }

    private var screen: [XML] {
        var devices: [XML] = []
        switch machine.screen {
        case .socket(let path): devices.append(XML("graphics", [("type", "vnc"), ("socket", path)]))
        case .tcp(let address, let port, let password):
            devices.append(
                XML(
                    "graphics",
                    [
                        ("type", "vnc"), ("port", String(port)), ("autoport", "no"), ("listen", address),
                        ("passwd", password?.reveal()),
                    ]))
        case nil: break
        }
        let models = [
            "std": "vga", "cirrus": "cirrus", "qxl": "qxl", "vmware": "vmvga", "virtio": "virtio", "none": "none",
        ]
        let model = machine.vga.map { models[$0] ?? $0 } ?? (machine.isX86 ? "vga" : "virtio")
        let place = machine.isX86 && model != "none" ? PCIPlaces(machine).video : nil
        devices.append(XML("video", [], [XML("model", [("type", model)]), place].compactMap { $0 }))
        return devices
    }
}
