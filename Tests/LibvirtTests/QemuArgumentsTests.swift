import Foundation
import Libvirt
import Machines
import Testing

@Suite("qemuargs")
struct QemuArgumentsTests {
    private func applied(
        _ rows: (flag: String, value: String)..., to change: (inout MachineDescription) -> Void = { _ in }
    ) -> (machine: MachineDescription, ownsNetwork: Bool, warnings: [String]) {
        QemuArguments(rows).applied(to: GoldenMachines.machine(change))
    }

    @Test(
        "memory is understood in every unit",
        arguments: [
            ("2048", 2048), ("2048M", 2048), ("2G", 2048), ("1.5g", 1536), ("size=1G,slots=2", 1024), ("1T", 1 << 20),
        ])
    func memory(value: String, expected: Int) {
        #expect(applied(("-m", value)).machine.memory == expected)
    }

    @Test("an amount that is none is left out and said", arguments: ["", "lots", "-5", "0", "1e99", "NaN"])
    func wrongMemory(value: String) {
        let result = applied(("-m", value))
        #expect(result.machine.memory == 512 && result.warnings.count == 1)
    }

    @Test(
        "processors replace all that the options said, and QEMU's way of filling up is followed",
        arguments: [
            ("2", [2, 0, 0, 0]), ("cores=2,threads=2", [0, 0, 2, 2]), ("4,sockets=2", [4, 2, 2, 0]),
            ("cpus=8,cores=2", [8, 4, 2, 0]), ("8,sockets=2,cores=2", [8, 2, 2, 2]), ("2,maxcpus=4", [2, 0, 0, 0]),
        ])
    func processors(value: String, expected: [Int]) {
        let machine = applied(("-smp", value)) { ($0.cpus, $0.sockets, $0.cores, $0.threads) = (16, 2, 4, 2) }.machine
        #expect([machine.cpus, machine.sockets, machine.cores, machine.threads] == expected)
    }

    @Test(
        "numbers of processors that are none are left out and said",
        arguments: ["x", "cpus=", "99999999999999999999", "-1"])
    func wrongProcessors(value: String) {
        #expect(applied(("-smp", value)).warnings.count == 1)
    }

    @Test("the machine's type, its accelerator and its other options go their own ways")
    func machineType() {
        let machine = applied(("-machine", "type=q35,accel=tcg,smm=on"), to: { $0.accelerator = .kvm }).machine
        #expect(machine.machineType == "q35" && machine.accelerator == .tcg)
        #expect(machine.arguments == ["-machine", "smm=on"])
        #expect(applied(("-machine", "accel=kvm:tcg"), to: { $0.accelerator = .kvm }).machine.accelerator == .kvm)
        #expect(applied(("-M", "pc-i440fx-7.2")).machine.machineType == "pc-i440fx-7.2")
    }

    @Test("a -netdev of the template brings its own forward; a card alone leaves the forward to Ingot")
    func network() {
        let own = applied(("-netdev", "user,id=user.0,hostfwd=tcp::2222-:22"))
        #expect(own.ownsNetwork && own.machine.network == .none)
        #expect(
            own.machine.arguments == [
                "-device", "virtio-net,netdev=user.0", "-netdev", "user,id=user.0,hostfwd=tcp::2222-:22",
            ])
        let card = applied(("-device", "virtio-net,netdev=user.0,romfile="))
        #expect(!card.ownsNetwork && card.machine.network == .none)
        #expect(card.machine.arguments.starts(with: ["-netdev", "user,id=user.0"]))
        let bridge = applied(("-device", "e1000,netdev=user.0"), to: { $0.network = .bridge("br0", model: "e1000") })
        #expect(bridge.machine.arguments.starts(with: ["-netdev", "bridge,id=user.0,br=br0"]))
        let other = applied(("-device", "virtio-rng-pci"))
        #expect(!other.ownsNetwork && other.machine.network == .user(model: "virtio-net"))
    }

    @Test("a -drive replaces every drive, and the machine may boot from it")
    func drives() {
        let machine = applied(("-drive", "file=/out/vm,if=virtio"), ("-boot", "order=c")).machine
        #expect(machine.disks.isEmpty && machine.cdroms.isEmpty)
        #expect(machine.arguments == ["-drive", "file=/out/vm,if=virtio", "-boot", "order=c,strict=off"])
        #expect(applied(("-drive", "x")).machine.arguments.suffix(2) == ["-boot", "once=d,strict=off"])
        #expect(applied(("-cdrom", "/other.iso")).machine.cdroms == ["/other.iso"])
    }

    @Test("what would take the terminal is left out, what is unknown is passed on as it stands")
    func others() {
        let rows: [(String, String)] = [
            ("-serial", "mon:stdio"), ("-monitor", "none"), ("-display", "gtk"), ("-nographic", ""),
            ("-unknown", "a,b=c"),
            ("-switch", ""),
        ]
        #expect(
            QemuArguments(rows).applied(to: GoldenMachines.machine()).machine.arguments == [
                "-unknown", "a,b=c", "-switch",
            ])
    }

    @Test(
        "relative paths are relative to the working directory, names of other kinds are left alone",
        arguments: [
            ("-drive", "file=iso/win.iso,media=cdrom", "file=/work dir/iso/win.iso,media=cdrom"),
            ("-drive", "if=virtio,file=./a,,b.raw", "if=virtio,file=/work dir/./a,,b.raw"),
            ("-drive", "file=/out/vm,if=virtio", "file=/out/vm,if=virtio"),
            ("-drive", "file=nbd:localhost:10809", "file=nbd:localhost:10809"),
            ("-drive", "file=https://host/x.iso", "file=https://host/x.iso"),
            ("-kernel", "boot/vmlinuz", "/work dir/boot/vmlinuz"), ("-fda", "floppy.img", "/work dir/floppy.img"),
            ("-append", "root=/dev/vda quiet", "root=/dev/vda quiet"),
            ("-chardev", "socket,id=c,path=sock,server=on", "socket,id=c,path=/work dir/sock,server=on"),
            ("-serial", "file:log", "file:/work dir/log"), ("-serial", "telnet::4444,server", "telnet::4444,server"),
            ("-netdev", "tap,id=n,script=no", "tap,id=n,script=no"),
            ("-netdev", "tap,id=n,script=up.sh,downscript=no", "tap,id=n,script=/work dir/up.sh,downscript=no"),
            ("-netdev", "user,id=n,tftp=boot,bootfile=pxe.0", "user,id=n,tftp=/work dir/boot,bootfile=pxe.0"),
            ("-option-rom", "roms/a.rom,bootindex=1", "/work dir/roms/a.rom,bootindex=1"),
            ("-option-rom", "romfile=roms/a.rom", "romfile=/work dir/roms/a.rom"),
            ("-option-rom", "pxe-e1000.rom", "pxe-e1000.rom"),
            ("-device", "virtio-rng-pci,romfile=roms/a.rom", "virtio-rng-pci,romfile=/work dir/roms/a.rom"),
            ("-global", "virtio-net-pci.romfile=", "virtio-net-pci.romfile="),
            ("-global", "virtio-net-pci.romfile=roms/a", "virtio-net-pci.romfile=/work dir/roms/a"),
            ("-sd", "card.img", "/work dir/card.img"), ("-mtdblock", "flash", "/work dir/flash"),
            ("-hda", "fat:rw:seed", "fat:rw:/work dir/seed"), ("-hda", "file:a:b", "file:/work dir/a:b"),
            ("-drive", "driver=raw,file.filename=a.img", "driver=raw,file.filename=/work dir/a.img"),
            ("-drive", "file=a,,file=b,if=virtio", "file=/work dir/a,,file=b,if=virtio"),
            ("-virtfs", "local,path=share,mount_tag=s", "local,path=/work dir/share,mount_tag=s"),
            ("-monitor", "unix:m.sock,server,nowait", "unix:/work dir/m.sock,server,nowait"),
            ("-append", "file=preseed.cfg,path=x", "file=preseed.cfg,path=x"),
        ])
    func paths(flag: String, value: String, expected: String) {
        let arguments = QemuArguments([(flag, value)], folder: "/work dir").applied(to: GoldenMachines.machine())
            .machine.arguments
        #expect(arguments.contains(expected), "\(arguments)")
    }

    @Test(
        "what the guest reads is known for every switch that names it, and what it writes is left out",
        arguments: [
            ("-cdrom", "a.iso", ["a.iso"]), ("-sd", "card", ["card"]), ("-mtdblock", "flash", ["flash"]),
            ("-option-rom", "a.rom,bootindex=1", ["a.rom"]), ("-device", "e1000,romfile=r", ["r"]),
            ("-global", "virtio-net-pci.romfile=r", ["r"]), ("-fw_cfg", "name=opt/x,file=f", ["f"]),
            ("-acpitable", "file=slic.bin", ["slic.bin"]), ("-blockdev", "driver=raw,file.filename=a,,b", ["a,b"]),
            ("-hda", "fat:floppy:seed", ["seed"]), ("-netdev", "user,id=n,tftp=boot", ["boot"]),
            ("-machine", "q35,kernel=k,initrd=i", ["k", "i"]), ("-kernel", "{{ .HTTPDir }}/k", ["{{ .HTTPDir }}/k"]),
            ("-serial", "file:log", []), ("-chardev", "file,id=c,path=log", []), ("-append", "file=x", []),
            ("-object", "filter-dump,id=d,netdev=n,file=dump.pcap", []), ("-drive", "file=nbd:localhost:1", []),
            ("-virtfs", "local,path=share,mount_tag=s", []), ("-unknown", "file=x", []),
        ])
    func inputs(flag: String, value: String, expected: [String]) {
        #expect(ArgumentPaths.inputs(flag, value) == expected)
    }

    @Test("a -bios is a file of the template's where there is one, else one of QEMU's own")
    func firmware() throws {
        let folder = NSTemporaryDirectory() + "ingot-bios-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // What stays is in a temporary folder.
        try Data().write(to: URL(filePath: folder + "/own.bin"))
        for (value, expected) in [("own.bin", folder + "/own.bin"), ("bios.bin", "bios.bin")] {
            let machine = QemuArguments([("-bios", value)], folder: folder).applied(to: GoldenMachines.machine())
                .machine
            #expect(machine.firmware == .file(expected, isFlash: false))
        }
        #expect(
            QemuArguments([("-cdrom", "x.iso")], folder: "/a").applied(to: GoldenMachines.machine()).machine.cdroms
                == ["/a/x.iso"])
    }
}
