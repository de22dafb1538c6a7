import ComponentModel
import Diagnostics
import FoundationEssentials
import Libvirt
import Machines
import Pipeline
import RemoteFramebuffer
import Scopes
import Templates
import Testing

@Suite("The machine of a template")
struct MachineComposerTests {
    private func compose(
        _ options: String, accelerator: Accelerator = .tcg, qemuVersion: String = "7.2.0",
        disks: [String] = ["/w/output/vm"],
        seeds: Seeds = Seeds()
    ) throws -> (xml: String, machine: ComposedMachine) {
        let source = try source(options)
        let machine = try MachineComposer(
            source: source, name: "test", accelerator: accelerator, emulator: "/usr/bin/qemu-system-x86_64",
            architecture: "x86_64", qemuVersion: qemuVersion, workspace: Workspace(path: "/w"),
            disks: Disks(paths: disks, format: "qcow2"), seeds: seeds, medium: "/iso/install.iso",
            serialPath: "/run/serial",
            socketPath: "/run/vnc"
        ).compose { $0.replacing("{{ .OutputDir }}", with: "/w/output").replacing("{{ .SSHHostPort }}", with: "2345") }
        return (domainXML(machine.description), machine)
    }

    private func source(_ options: String) throws -> QemuSource {
        let template = """
            source "qemu" "vm" {
              iso_url = "a.iso"
              iso_checksum = "none"
              ssh_username = "root"
            \(options)
            }
            build { sources = ["source.qemu.vm"] }
            """
        let loaded = loadPlan(
            LoadOptions(
                path: "t.pkr.hcl", workingDirectory: "/work", startTime: Date(timeIntervalSince1970: 1_709_211_845),
                fileSystem: OneFile(path: "/work/t.pkr.hcl", text: template)))
        #expect(loaded.plan.diagnostics.filter { $0.severity == .error }.map(\.summary) == [])
        return try #require(loaded.plan.value.builds.first).source
    }

    @Test("without options it is Packer's default machine, with a private screen")
    func defaults() throws {
        let (xml, machine) = try compose("")
        for part in [
            "<memory unit='MiB'>512</memory>", "<vcpu>1</vcpu>", "machine='pc'", "<interface type='user'>",
            "<model type='virtio'/>", "<target dev='vda' bus='virtio'/>", "<source file='/iso/install.iso'/>",
            "<graphics type='vnc' socket='/run/vnc'/>", "<source path='/run/serial' append='on'/>",
        ] { #expect(xml.contains(part), "\(part)") }
        #expect(machine.vnc == .unix("/run/vnc") && machine.vncPassword == nil && !machine.ownsNetwork)
        #expect(machine.warnings.isEmpty)
        #expect(xml.matches(of: /<qemu:arg/).count == 2)
    }

    @Test("the processor's options reach the machine, as Packer counts them")
    func processors() throws {
        #expect(try compose("cores = 4").xml.contains("<vcpu>4</vcpu>"))
        #expect(try compose("cpus = 8\nsockets = 1\ncores = 2").xml.contains("<vcpu>2</vcpu>"))
        #expect(try compose("cpus = 3").xml.contains("<vcpu>3</vcpu>"))
        let named = try compose("cpu_model = \"Nehalem\"").xml
        #expect(named.contains("<model fallback='forbid'>Nehalem</model>") && !named.contains("cx16"))
        #expect(try compose("cpu_model = \"host\"", accelerator: .kvm).xml.contains("mode='host-passthrough'"))
    }

    @Test("under KVM the guest gets the host's processor, unless the template or its arguments name another")
    func hostProcessor() throws {
        let host = "mode='host-passthrough' check='none' migratable='on'"
        #expect(try compose("", accelerator: .kvm).xml.contains(host))
        #expect(try !compose("").xml.contains("host-passthrough"))
        let named = try compose("cpu_model = \"Nehalem\"", accelerator: .kvm).xml
        #expect(named.contains(">Nehalem</model>") && !named.contains("host-passthrough"))
        let argument = try compose("qemuargs = [[\"-cpu\", \"EPYC,-avx2\"]]", accelerator: .kvm).xml
        #expect(argument.contains(">EPYC</model>") && !argument.contains("host-passthrough"))
        let emulated = try compose("qemuargs = [[\"-machine\", \"accel=tcg\"]]", accelerator: .kvm).xml
        #expect(emulated.contains("type='qemu'") && emulated.contains("<feature policy='disable' name='cx16'/>"))
    }

    @Test(
        "every disk interface has its bus",
        arguments: [
            ("ide", "dev='hda' bus='ide'"), ("sata", "dev='sda' bus='sata'"), ("scsi", "dev='sda' bus='scsi'"),
            ("sd", "dev='sda' bus='sd'"), ("virtio", "dev='vda' bus='virtio'"),
            ("virtio-scsi", "model='virtio-scsi'"),
        ])
    func interfaces(name: String, expected: String) throws {
        #expect(try compose("disk_interface = \"\(name)\"").xml.contains(expected))
    }

    @Test("an old QEMU that emulates goes without the instruction that it gets wrong")
    func safeProcessor() throws {
        #expect(try compose("").xml.contains("<feature policy='disable' name='cx16'/>"))
        #expect(try !compose("", qemuVersion: "8.0.2").xml.contains("cx16"))
        #expect(try !compose("", accelerator: .kvm).xml.contains("cx16"))
    }

    @Test("the same QEMU under another name, in PATH or by its path, is the same")
    func emulatorNames() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/ingot-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder + "/bin", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // What stays is in a temporary folder.
        let program = folder + "/qemu-system-riscv64"
        let isMade = FileManager.default.createFile(
            atPath: program, contents: Data(), attributes: [.posixPermissions: 0o755])
        #expect(isMade)
        try FileManager.default.createSymbolicLink(atPath: folder + "/bin/my-qemu", withDestinationPath: program)
        let direct = try Emulator(program, environment: [:])
        let linked = try Emulator("my-qemu", environment: ["PATH": folder + "/bin"])
        #expect(direct.path == linked.path && linked.architecture == "riscv64")
        #expect(throws: BuildError.self) { try Emulator("no-qemu", environment: ["PATH": folder]) }
    }

    @Test("disks, seeds and interfaces are the template's")
    func devices() throws {
        let (xml, _) = try compose(
            """
            disk_interface = "virtio-scsi"
            disk_cache = "writeback"
            disk_discard = "unmap"
            disk_detect_zeroes = "unmap"
            machine_type = "q35"
            memory = 2048
            net_bridge = "br0"
            net_device = "e1000"
            """, disks: ["/w/output/vm", "/w/output/vm-1"],
            seeds: Seeds(cd: "/w/seeds/cd.iso", floppy: "/w/seeds/floppy"))
        for part in [
            "<target dev='sda' bus='scsi'/>", "<target dev='sdb' bus='scsi'/>", "cache='writeback'", "discard='unmap'",
            "detect_zeroes='unmap'", "<source file='/w/seeds/cd.iso'/>", "<target dev='fda' bus='fdc'/>",
            "<source bridge='br0'/>", "<model type='e1000'/>", "2048",
        ] { #expect(xml.contains(part), "\(part)") }
    }

    @Test("a disk image has no installer in its drive")
    func diskImage() throws {
        let (xml, _) = try compose("disk_image = true", seeds: Seeds(cd: "/w/seeds/cd.iso"))
        #expect(!xml.contains("install.iso") && xml.contains("/w/seeds/cd.iso"))
    }

    @Test("a screen on TCP has a port of the range and a password")
    func screen() throws {
        let (xml, machine) = try compose("vnc_bind_address = \"127.0.0.1\"\nvnc_port_min = 5931\nvnc_port_max = 5960")
        guard case .tcp(let host, let port)? = machine.vnc else {
            Issue.record("\(String(describing: machine.vnc))")
            return
        }
        #expect(host == "127.0.0.1" && (5931..<5960).contains(port))
        let password = try #require(machine.vncPassword).reveal()
        #expect(password.count == 8 && xml.contains("passwd='\(password)'"))
        let given = try compose("vnc_bind_address = \"0.0.0.0\"\nvnc_use_password = true\nvnc_password = \"given\"")
        #expect(given.xml.contains("listen='0.0.0.0'") && given.xml.contains("passwd='given'"))
        #expect(try compose("disable_vnc = true").machine.vnc == nil)
    }

    @Test("firmware that this machine lacks is chosen by libvirt, and said")
    func firmware() throws {
        let (xml, machine) = try compose("efi_boot = true\nefi_firmware_code = \"/usr/none/code\"\nvtpm = true")
        #expect(xml.contains("<os firmware='efi'>") && xml.contains("<nvram>/w/output/efivars.fd</nvram>"))
        #expect(xml.contains("<tpm model='tpm-tis'>") && machine.warnings.count == 1)
    }

    @Test("qemuargs are filled in, replace what they name, and pass on the rest")
    func arguments() throws {
        let (xml, machine) = try compose(
            """
            qemuargs = [
              ["-m", "1G"], ["-netdev", "user,id=user.0,hostfwd=tcp::{{ .SSHHostPort }}-:22"],
              ["-device", "virtio-net,netdev=user.0"], ["-drive", "file={{ .OutputDir }}/vm,if=virtio,format=qcow2"],
              ["-display", "none"],
            ]
            """)
        #expect(machine.ownsNetwork && !xml.contains("<interface") && xml.contains(">1024</memory>"))
        for part in [
            "hostfwd=tcp::2345-:22", "'virtio-net,netdev=user.0,addr=0x03'", "file=/w/output/vm,if=none",
            "'virtio-blk-pci,drive=passed0,addr=0x04'",
        ] { #expect(xml.contains(part), "\(part)") }
        #expect(!xml.contains("<disk") && !xml.contains("-display"))
    }
}

/// A file system with one file.
private struct OneFile: TemplateFileSystem {
    struct Missing: Error {}
    let path: String
    let text: String

    func kind(of path: String) -> TemplateFileKind? { path == self.path ? .file : nil }

    func read(_ path: String, limit: Int) throws -> [UInt8]? {
        guard path == self.path else { throw Missing() }
        return Array(text.utf8)
    }

    func names(in directory: String) throws -> [String] { [] }
}
