import Diagnostics
import Scopes
import Templates
import Testing

@testable import ComponentModel

@Suite("QEMU sources")
struct QemuSourceTests {
    private func source(_ options: String) throws -> QemuSource {
        let loaded = Loaded(qemuTemplate(options))
        #expect(loaded.errorMarks == [])
        return try #require(loaded.plan.builds.first).source
    }

    private func ssh(_ options: String) throws -> SSHSettings {
        guard case .ssh(let settings) = try source(options).communicator else {
            throw TemplateFailure("no SSH")
        }
        return settings
    }

    @Test("every default is filled in")
    func defaults() throws {
        let source = try source("")
        #expect(source.vmName == "packer-vm")
        #expect(source.outputDirectory == "output-vm")
        #expect(source.input.urls == ["a.iso"])
        #expect(source.input.targetExtension == "iso")
        #expect(source.disk.format == .qcow2)
        #expect(source.disk.size == 40960 << 20)
        #expect(!source.disk.sizeIsGiven)
        #expect(source.disk.interface == .virtio)
        #expect(source.disk.cache == nil)
        #expect(source.disk.discard == "ignore" && source.disk.detectZeroes == "off")
        #expect(source.machine.machineType == "pc" && source.machine.memory == 512 && source.machine.cpus == 0)
        #expect(source.machine.accelerator == nil && source.machine.netDevice == "virtio-net")
        #expect(source.machine.binary == "qemu-system-x86_64" && source.machine.firmware == .bios)
        #expect(source.machine.tpm == nil)
        #expect(source.machine.vnc.bindAddress == nil && source.machine.vnc.ports == 5900..<6000)
        #expect(source.http.ports == 8000..<9000 && source.http.directory == nil)
        #expect(source.boot.wait == .seconds(10) && source.boot.steps.isEmpty && source.boot.keyInterval == nil)
        #expect(source.shutdown.command == nil && source.shutdown.timeout == .seconds(300))
        #expect(source.seeds.cdLabel == "packer" && source.seeds.floppyLabel == "packer")
        guard case .ssh(let ssh) = source.communicator else {
            Issue.record("SSH is the default")
            return
        }
        #expect(ssh.port == 22 && ssh.timeout == .seconds(300) && ssh.handshakeAttempts == 10)
        #expect(ssh.hostPorts == 2222..<4444 && ssh.forwardsAgent && ssh.keepAliveInterval == .seconds(5))
        #expect(ssh.host == nil && ssh.password == nil && ssh.transferMethod == nil)
    }

    @Test("values are converted to the option's type")
    func conversions() throws {
        let source = try source(
            """
            memory = "2048"
            headless = "true"
            disk_size = 20480
            cpus = 2
            disk_additional_size = ["1G", 1024]
            qemuargs = [["-m", "4096M"], ["-display", "none"], ["-usb"], ["-drive", "a", "b"]]
            """)
        #expect(source.machine.memory == 2048 && source.machine.headless && source.machine.cpus == 2)
        #expect(source.disk.size == 20480 << 20 && source.disk.sizeIsGiven)
        #expect(source.disk.additionalSizes == [1 << 30, 1024])
        #expect(source.machine.qemuArguments.map(\.flag) == ["-m", "-display", "-usb", "-drive"])
        #expect(source.machine.qemuArguments.map(\.value) == ["4096M", "none", "", "ab"])
    }

    @Test("raw disks are neither compacted nor compressed")
    func raw() throws {
        let disk = try source("format = \"raw\"\ndisk_compression = true").disk
        #expect(disk.format == .raw && disk.skipsCompaction && !disk.compresses)
    }

    @Test("one limit of SSH alone leaves the other without limit")
    func sshLimits() throws {
        #expect(try ssh("ssh_timeout = \"20m\"").handshakeAttempts == 0)
        #expect(try ssh("ssh_handshake_attempts = 3").timeout == nil)
        #expect(try ssh("ssh_wait_timeout = \"1m\"\nssh_timeout = \"2m\"").timeout == .seconds(60))
    }

    @Test("a negative boot_wait is none and zero the default")
    func bootWait() throws {
        #expect(try source("boot_wait = \"-1s\"").boot.wait == nil)
        #expect(try source("boot_wait = \"0s\"").boot.wait == .seconds(10))
        #expect(try source("boot_wait = \"3s\"").boot.wait == .seconds(3))
    }

    @Test("boot_command is joined and stays a template")
    func bootCommand() throws {
        let boot = try source("boot_command = [\"<esc>\", \"http://{{ .HTTPIP }}:{{ .HTTPPort }}/\"]").boot
        #expect(boot.steps.map(\.command) == ["<esc>http://{{ .HTTPIP }}:{{ .HTTPPort }}/"])
    }

    @Test("firmware options decide between BIOS, a file and EFI")
    func firmware() throws {
        #expect(try source("efi_boot = true").machine.firmware == .efi(code: nil, vars: nil, dropsVars: false))
        #expect(
            try source("efi_firmware_code = \"/usr/C\"\nefi_drop_efivars = true").machine.firmware
                == .efi(code: "/usr/C", vars: nil, dropsVars: true))
        #expect(try source("firmware = \"b.bin\"\nuse_pflash = true").machine.firmware == .file("b.bin", isFlash: true))
    }

    @Test("naming a port or an address asks for VNC over TCP")
    func vnc() throws {
        #expect(try source("vnc_port_min = 5901\nvnc_port_max = 5901").machine.vnc.bindAddress == "127.0.0.1")
        #expect(try source("vnc_bind_address = \"0.0.0.0\"").machine.vnc.bindAddress == "0.0.0.0")
    }

    @Test("strings are rendered as Go templates, but not those that wait for the run")
    func rendering() throws {
        let source = try source(
            "vm_name = \"{{ build_name }}-{{ timestamp }}\"\nqemuargs = [[\"-netdev\", \"hostfwd={{ .SSHHostPort }}\"]]"
        )
        #expect(source.vmName == "vm-1709211845")
        #expect(source.machine.qemuArguments.first?.value == "hostfwd={{ .SSHHostPort }}")
    }

    @Test("null is as good as not written")
    func null() throws {
        #expect(try source("memory = null\nformat = null").machine.memory == 512)
    }

    @Test(
        "wrong options are refused where they stand",
        arguments: [
            ("disk_size = \"10GB\"", "invalid-size: \"10GB\""), ("format = \"vmdk\"", "invalid-value: \"vmdk\""),
            ("disk_interface = \"nvme\"", "invalid-value: \"nvme\""), ("memory = \"lots\"", "wrong-type: \"lots\""),
            ("headless = \"maybe\"", "wrong-type: \"maybe\""), ("boot_wait = \"10\"", "invalid-duration: \"10\""),
            ("accelerator = \"kvmm\"", "invalid-value: \"kvmm\""), ("qemuargs = \"-m\"", "wrong-type: \"-m\""),
            ("cd_files = \"a\"", "wrong-type: \"a\""), ("skip_resize_disk = true", "invalid-skip-resize: true"),
            ("use_backing_file = true", "invalid-backing-file: true"), ("vnc_port_min = 80", "invalid-port: 80"),
            ("http_port_min = 9000\nhttp_port_max = 8000", "invalid-port: 9000"), ("cpus = -1", "invalid-value: -1"),
            ("http_content = { \"a\" = \"b\" }", "invalid-http-path: { \"a\" = \"b\" }"),
            ("iso_urls = [\"b.iso\"]", "exclusive-options: [\"b.iso\"]"), ("ssh_port = 70000", "invalid-port: 70000"),
            ("ssh_private_key_file = \"none.pem\"", "missing-file: \"none.pem\""),
            ("boot_command = [\"ä\"]", "boot-command: \"ä\""), ("cd_files = [\"gone\"]", "missing-file: \"gone\""),
            ("disable_vnc = true\nboot_command = [\"a\"]", "boot-command-without-vnc: true"),
            ("vm_name = \"{{ nope }}\"", "template-syntax: \"{{ nope }}\""),
            ("boot_command = [\"{{ .A\"]", "template-syntax: [\"{{ .A\"]"),
            ("ssh_usrname = \"x\"", "unsupported-argument: ssh_usrname"),
            ("iso_checksum_type = \"md5\"", "removed-option: iso_checksum_type"),
            ("qemu_img_args = {}", "unsupported-argument: qemu_img_args"),
            ("communicator = \"telnet\"", "invalid-value: \"telnet\""),
            ("ssh_file_transfer_method = \"ftp\"", "invalid-value: \"ftp\""),
            ("memory { }", "unsupported-block: memory"),
        ])
    func errors(_ options: String, _ expected: String) {
        #expect(Loaded(qemuTemplate(options)).errorMarks == [expected])
    }

    @Test("what is needed and missing is asked for at the source's header")
    func missing() {
        let loaded = Loaded("source \"qemu\" \"vm\" {\n}\nbuild {\n  sources = [\"qemu.vm\"]\n}\n")
        #expect(loaded.errorMarks == Array(repeating: "missing-option: source \"qemu\" \"vm\"", count: 3))
        #expect(loaded.errors.map(\.summary).joined().contains("ssh_username"))
    }

    @Test("a misspelt option is answered with the right one")
    func didYouMean() {
        let loaded = Loaded(qemuTemplate("disk_sise = 1"))
        #expect(loaded.errors.first?.detail == "Did you mean \"disk_size\"?")
    }

    @Test("an option that nothing acts on yet is a warning that names it")
    func notYet() {
        let loaded = Loaded(qemuTemplate("ssh_bastion_host = \"b\""))
        #expect(loaded.errors.isEmpty)
        #expect(loaded.warnings.contains { $0.summary.hasPrefix("ssh_bastion_host") })
    }

    @Test("an existing output directory is an error without force")
    func outputDirectory() {
        let files = ["output-vm/disk": ""]
        #expect(Loaded(qemuTemplate(""), files: files).errorMarks == ["output-exists: source \"qemu\" \"vm\""])
        // A template that was built once is still right.
        let checked = Loaded(qemuTemplate(""), files: files) { $0.isValidation = true }
        #expect(checked.errorMarks == [] && checked.warnings.contains { $0.id == "template/output-exists" })
        #expect(Loaded(qemuTemplate(""), files: files) { $0.force = true }.errorMarks == [])
    }

    @Test("winrm is validated, and a build with it is refused as long as it is not built in")
    func winrm() throws {
        let complete = qemuTemplate("communicator = \"winrm\"\nwinrm_username = \"a\"")
        let checked = Loaded(complete) { $0.isValidation = true }
        #expect(checked.errorMarks == [])
        #expect(checked.warnings.contains { $0.id == "template/not-built-in" })
        guard case .winrm = checked.plan.builds.first?.source.communicator else {
            Issue.record("not winrm")
            return
        }
        #expect(Loaded(complete).errorMarks == ["not-built-in: \"winrm\""])
        #expect(
            Loaded(qemuTemplate("communicator = \"winrm\"")) { $0.isValidation = true }.errorMarks
                == ["missing-option: source \"qemu\" \"vm\""])
    }

    private func checked(_ options: String, files: [String: String] = [:], validates: Bool = true) -> Loaded {
        let text = """
            source "qemu" "vm" {
              communicator = "none"
            \(options)
            }
            build {
              sources = ["source.qemu.vm"]
            }
            """
        return Loaded(text, files: files) { $0.isValidation = validates }
    }

    private static let list = "d41d8cd98f00b204e9800998ecf8427e  a.iso\n"

    @Test(
        "a list of checksums on this host is read before anything is built",
        arguments: [
            ("http://h/a.iso", "file:sums/none.txt", "missing-file: \"file:sums/none.txt\""),
            ("http://h/b.iso", "file:sums/md5", "unlisted-medium: \"file:sums/md5\""),
            ("b.iso", "file:/work/sums/md5", "unlisted-medium: \"file:/work/sums/md5\""),
            ("http://h/a.iso", "file:sums/md5", ""), ("http://h/b.iso", "file:https://h/nowhere", ""),
            ("http://h/x/a.iso?y=1", "file:sums/md5", ""),
        ])
    func checksumLists(url: String, checksum: String, expected: String) {
        for validates in [true, false] {
            let loaded = checked(
                "iso_url = \"\(url)\"\n iso_checksum = \"\(checksum)\"", files: ["sums/md5": Self.list],
                validates: validates)
            #expect(loaded.errorMarks == (expected.isEmpty ? [] : [expected]))
        }
    }

    @Test("a list without the medium says what it contains")
    func unlistedMedium() {
        let loaded = checked("iso_url = \"b.iso\"\n iso_checksum = \"file:md5\"", files: ["md5": Self.list])
        #expect(loaded.errors.map(\.detail) == ["It contains: a.iso."])
    }

    @Test("a medium that does not exist is a warning when validating, unless another of its places exists")
    func missingMedium() {
        func warnings(_ options: String, validates: Bool = true) -> [String] {
            checked(
                options + "\n iso_checksum = \"md5:d41d8cd98f00b204e9800998ecf8427e\"", files: ["here.iso": ""],
                validates: validates
            )
            .warnings.map(\.summary)
        }
        #expect(warnings("iso_url = \"gone.iso\"") == ["“gone.iso” does not exist yet"])
        #expect(warnings("iso_url = \"here.iso\"") == [])
        #expect(warnings("iso_urls = [\"gone.iso\", \"here.iso\"]") == [])
        #expect(warnings("iso_urls = [\"gone.iso\", \"http://h/a.iso\"]") == [])
        #expect(warnings("iso_url = \"gone.iso\"", validates: false) == [])
    }

    @Test(
        "firmware that the template names must exist, except where a package of another distribution keeps it",
        arguments: [
            ("efi_firmware_code = \"code.fd\"", true, "missing-file: \"code.fd\"", 0),
            ("efi_firmware_vars = \"/srv/vars.fd\"", true, "missing-file: \"/srv/vars.fd\"", 0),
            ("efi_firmware_code = \"/usr/share/X/CODE.fd\"", true, "", 1),
            ("efi_firmware_code = \"/usr/share/X/CODE.fd\"", false, "", 1),
            ("firmware = \"dir/bios.bin\"", true, "missing-file: \"dir/bios.bin\"", 0),
            ("firmware = \"/opt/share/bios.bin\"", true, "", 1),
            ("firmware = \"/opt/share/bios.bin\"", false, "missing-file: \"/opt/share/bios.bin\"", 0),
            ("firmware = \"bios-256k.bin\"", true, "", 0), ("efi_firmware_code = \"here.fd\"", true, "", 0),
        ])
    func firmwareFiles(option: String, validates: Bool, error: String, warnings: Int) {
        let loaded = checked(
            "iso_url = \"http://h/a.iso\"\n iso_checksum = \"md5:d41d8cd98f00b204e9800998ecf8427e\"\n \(option)",
            files: ["here.fd": ""], validates: validates)
        #expect(loaded.errorMarks == (error.isEmpty ? [] : [error]))
        #expect(loaded.warnings.count == warnings)
    }

    @Test(
        "only a field of the boot command's template counts, not a word in its text",
        arguments: [
            (["echo Syslog SSHPublicKey .Name"], []),
            (["{{ .SyslogIP }}", "{{.SSHPublicKey|upper}}"], ["SSHPublicKey", "SyslogIP"]),
            (["{{/* .SyslogIP */}}{{ `.Name` }}"], []), (["{{ with $.Name }}{{ . }}{{ end }}"], ["Name"]),
        ])
    func bootFields(commands: [String], fields: [String]) throws {
        let list = commands.map { "\"\($0)\"" }.joined(separator: ", ")
        #expect(try source("boot_command = [\(list)]").boot.fields == Set(fields))
    }
}
