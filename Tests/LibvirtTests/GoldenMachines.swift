import Libvirt
import Machines
import Scopes

/// Representative machines, each with a file of its own in Machines/ that holds its domain XML.
enum GoldenMachines {
    static let all: [String: MachineDescription] = [
        "packer-default": machine(),
        "packer-default-q35": machine { $0.machineType = "q35" },
        "uuid": machine { $0.uuid = "6a1f3c52-9d0e-4f6b-8a77-0c2f5d1b9e44" },
        "kvm-host-cpu": machine {
            $0.accelerator = .kvm
            $0.cpu = "host,-vmx,+aes,pcid=off"
            ($0.cpus, $0.sockets, $0.cores, $0.threads) = (4, 1, 2, 2)
        },
        "two-disks": machine {
            $0.machineType = "q35"
            $0.disks = [disk(.virtio), disk(.virtio, "/out/vm-1", format: "raw")]
            $0.disks[1].detectZeroes = "unmap"
            $0.disks[1].discard = "unmap"
            $0.cdroms.append("/out/seed.iso")
        },
        "virtio-scsi": machine { $0.disks = [disk(.virtioSCSI), disk(.virtioSCSI, "/out/vm-1")] },
        "lsi-scsi": machine { $0.disks = [disk(.scsi)] },
        "ide": machine { $0.disks = [disk(.ide), disk(.ide, "/out/vm-1")] },
        "ide-on-q35": machine {
            $0.machineType = "pc-q35-7.2"
            $0.disks = [disk(.ide)]
        },
        "sata": machine {
            $0.machineType = "q35"
            $0.disks = [disk(.sata)]
        },
        "cd-and-floppy": machine {
            $0.cdroms = ["/iso/install.iso", "/out/seed.iso"]
            $0.floppy = "/out/floppy.img"
            $0.bootsFromCDFirst = true
        },
        "cd-on-scsi": machine {
            $0.cdroms = ["/iso/install.iso", "/out/seed.iso"]
            $0.cdromBus = .scsi
        },
        "cd-on-sata": machine {
            $0.cdroms = ["/iso/install.iso"]
            $0.cdromBus = .sata
        },
        "secure-boot-tpm": machine {
            $0.machineType = "q35"
            $0.firmware = .efi(
                code: "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", template: "/usr/share/OVMF/OVMF_VARS_4M.ms.fd",
                vars: "/out/efivars.fd")
            $0.tpm = (model: "tpm-crb", version: "2.0")
        },
        "efi-chosen-by-libvirt": machine {
            $0.machineType = "q35"
            $0.firmware = .efi(code: nil, template: nil, vars: "/out/efivars.fd")
            $0.tpm = (model: "tpm-tis", version: "1.2")
        },
        "firmware-file": machine { $0.firmware = .file("/usr/share/seabios/bios-256k.bin", isFlash: false) },
        "firmware-of-qemu": machine { $0.firmware = .file("bios-microvm.bin", isFlash: false) },
        "firmware-flash": machine { $0.firmware = .file("/usr/share/ovmf/OVMF.fd", isFlash: true) },
        "bridge": machine { $0.network = .bridge("br0", model: "e1000") },
        "no-network": machine { $0.network = .none },
        "vnc-on-tcp": machine {
            $0.screen = .tcp(address: "127.0.0.1", port: 5917, password: Sensitive("s3cr&t'<"))
            $0.vga = "qxl"
        },
        "vnc-without-password": machine {
            $0.screen = .tcp(address: "0.0.0.0", port: 5900, password: nil)
            $0.vga = "virtio"
        },
        "no-screen": machine {
            $0.screen = nil
            $0.vga = "none"
            $0.serialPath = nil
        },
        "topology-without-number": machine { ($0.cpus, $0.cores) = (0, 4) },
        "topology-with-room": machine { ($0.cpus, $0.sockets, $0.cores) = (2, 1, 4) },
        "topology-too-small": machine { ($0.cpus, $0.sockets, $0.cores) = (8, 1, 2) },
        "strange-names": machine {
            $0.name = "a'b<c>&\"d\" é"
            $0.disks = [disk(.virtio, "/out/it's <here> & there")]
            $0.cdroms = ["/iso/a,b=c.iso"]
        },
        "arm": machine {
            $0.architecture = "aarch64"
            $0.emulator = "/usr/bin/qemu-system-aarch64"
            $0.machineType = "virt,highmem=off"
            $0.cpu = "cortex-a57"
            $0.firmware = .efi(code: nil, template: nil, vars: "/out/efivars.fd")
        },
        "hyper-v-cpu": arguments([("-cpu", "Skylake-Client,hv_relaxed,hv_spinlocks=0x1fff,+aes")]),
        "mapped-arguments": arguments([
            ("-m", "2G"), ("-smp", "cpus=4,sockets=2"), ("-cpu", "Nehalem,+aes"), ("-machine", "type=q35,accel=tcg"),
            ("-boot", "order=dc"), ("-vga", "cirrus"), ("-display", "none"), ("-serial", "stdio"), ("-nographic", ""),
        ]),
        "passed-arguments": arguments([
            ("-rtc", "base=localtime"), ("-device", "virtio-rng-pci"), ("-device", "usb-tablet"), ("-usb", ""),
            ("-fw_cfg", "name=opt/x,string=<&'\">"), ("-machine", "smm=on,vmport=off"),
        ]),
        "several-network-cards": arguments([
            ("-netdev", "user,id=user.0,hostfwd=tcp::2222-:22"), ("-netdev", "user,id=second"),
            ("-device", "virtio-net,netdev=user.0"), ("-device", "e1000,netdev=second"),
        ]),
        "own-card": arguments([("-device", "virtio-net-pci,netdev=user.0,mac=52:54:00:aa:bb:cc")]),
        "own-drives": arguments([
            ("-drive", "file=/out/vm,if=virtio,format=qcow2"), ("-drive", "file=/iso/install.iso,media=cdrom"),
        ]),
    ]

    static func disk(
        _ bus: MachineDescription.Disk.Bus, _ path: String = "/out/vm", format: String = "qcow2"
    ) -> MachineDescription.Disk {
        .init(path: path, format: format, bus: bus, cache: "unsafe", discard: "ignore", detectZeroes: "off")
    }

    /// What a template without options comes to, changed.
    static func machine(_ change: (inout MachineDescription) -> Void = { _ in }) -> MachineDescription {
        var machine = MachineDescription(
            name: "packer-test", memory: 512, cpus: 1, machineType: "pc", architecture: "x86_64",
            emulator: "/usr/bin/qemu-system-x86_64", accelerator: .tcg, disks: [disk(.virtio)],
            cdroms: ["/iso/install.iso"], network: .user(model: "virtio-net"))
        machine.screen = .socket("/run/vnc.sock")
        machine.serialPath = "/out/serial.log"
        change(&machine)
        return machine
    }

    private static func arguments(_ rows: [(flag: String, value: String)]) -> MachineDescription {
        QemuArguments(rows).applied(to: machine()).machine
    }
}
