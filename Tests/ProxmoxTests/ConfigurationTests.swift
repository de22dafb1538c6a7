import Foundation
import Proxmox
import ProxmoxConfiguration
import Scopes
import Testing

/// Numbers that are the same in every run.
struct CountingGenerator: RandomNumberGenerator {
    private var state: UInt64 = 7
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state
    }
}

@Suite("Machine configuration")
struct ConfigurationTests {
    let example = exampleUpload("/nowhere").machine

    private func reasons(_ change: (inout MachineConfiguration) -> Void, archive: Bool = false) -> [String] {
        var machine = example
        change(&machine)
        return machine.problems(forArchive: archive).map(\.description)
    }

    @Test("a usual template has no problems")
    func usual() {
        #expect(example.problems(forArchive: true) == [])
    }

    @Test(
        "names are as DNS has them",
        arguments: ["", "a_b", "-a", "a-", "a..b", "ä", String(repeating: "a", count: 64), "a b", "a\n"])
    func names(name: String) {
        #expect(reasons { $0.name = name }.first?.hasPrefix("name: ") == true)
    }

    @Test(
        "names of machines may have dots, digits and capital letters",
        arguments: ["debian-13", "a", "A.b.example", "9"])
    func goodNames(name: String) {
        #expect(reasons { $0.name = name } == [])
    }

    @Test("each bad value is named with its option")
    func badValues() {
        #expect(reasons { $0.vmid = 99 } == ["vmid: 99 is not between 100 and 999999999"])
        #expect(reasons { $0.tags = ["-x"] }.first?.hasPrefix("tags: ") == true)
        #expect(reasons { $0.tags = ["a", "A"] } == ["tags: a tag is named twice"])
        #expect(reasons { $0.memory = 8 }.first?.hasPrefix("memory: ") == true)
        #expect(reasons { $0.balloon = 4096 }.first?.hasPrefix("balloon: ") == true)
        #expect(reasons { $0.cores = 0 } == ["cores: must be at least 1"])
        #expect(reasons { $0.machine = "q36" }.first?.hasPrefix("machine: ") == true)
        #expect(reasons { $0.cpu = "host flags" }.first?.hasPrefix("cpu: ") == true)
        #expect(reasons { $0.storage = "x" }.first?.hasPrefix("storage: ") == true)
        #expect(reasons { $0.storage = "a,b" }.first?.hasPrefix("storage: ") == true)
        #expect(reasons { $0.networks[0].bridge = "vmbr0,tag=1" }.first?.hasPrefix("net0: ") == true)
        #expect(reasons { $0.networks[0].macAddress = "01:00:00:00:00:00" }.first?.contains("unicast") == true)
        #expect(reasons { $0.networks[0].vlan = 5000 }.first?.hasPrefix("net0: ") == true)
        #expect(reasons { $0.scsiController = .lsi }.first?.contains("virtio-scsi-single") == true)
        #expect(reasons { $0.efiDisk = .init() }.first?.contains("ovmf") == true)
        #expect(reasons { $0.serials = [] }.first?.hasPrefix("vga: ") == true)
        #expect(reasons { $0.bootOrder = ["scsi1"] }.first?.hasPrefix("boot: ") == true)
        #expect(
            reasons { $0.description = String(repeating: "x", count: 8193) }.first?.hasPrefix("description: ") == true)
        #expect(reasons { $0.cloudInit?.addresses = [.init(ip: "10.0.0.5")] }.first?.hasPrefix("ipconfig0: ") == true)
        #expect(reasons { $0.cloudInit?.addresses = [.init(gateway: "10.0.0.1")] }.first?.contains("gateway") == true)
        #expect(reasons { $0.cloudInit?.nameservers = ["dns"] }.first?.hasPrefix("nameserver: ") == true)
        #expect(reasons { $0.cloudInit?.sshKeys = ["ssh-rsa\nAAAA"] }.first?.hasPrefix("sshkeys: ") == true)
        #expect(reasons { $0.cloudInit?.slot = .init(bus: .virtio, index: 1) }.isEmpty == false)
        #expect(reasons { $0.disks.append($0.disks[0]) } == ["scsi0: two drives on one place"])
        #expect(reasons { $0.otherOptions = ["cores": "2"] } == ["cores: is set twice"])
        #expect(reasons { $0.otherOptions = ["tablet": "0\nargs: -x"] }.first?.contains("control") == true)
        #expect(reasons { $0.otherOptions = ["template": "1"] }.first?.hasPrefix("template: ") == true)
    }

    @Test("an archive takes a password only as a hash")
    func passwordInArchive() {
        #expect(
            reasons({ $0.cloudInit?.password = Sensitive("plain") }, archive: true).first?.contains("crypt(5)") == true)
        #expect(reasons({ $0.cloudInit?.password = Sensitive("$6$salt$hash") }, archive: true) == [])
        #expect(reasons { $0.cloudInit?.password = Sensitive("plain") } == [])
    }

    @Test("one error lists all problems")
    func validation() {
        var machine = example
        machine.name = ""
        machine.cores = 0
        #expect { try machine.validate() } throws: { error in
            "\(error)".contains("name: is empty; cores: must be at least 1")
        }
    }

    @Test("the archive's text has every option, the volumes and the map of the streams")
    func archiveText() throws {
        var generator = CountingGenerator()
        var machine = example
        machine.bios = .ovmf
        machine.efiDisk = .init(hasEnrolledKeys: true)
        let text = try machine.archiveText(
            drives: [.init(slot: DriveSlot(bus: .scsi, index: 0), size: 10 << 30), .init(slot: .efi, size: 540_672)],
            vmid: 100, created: Date(timeIntervalSince1970: 1_700_000_000), using: &generator)
        #expect(
            text == """
                #Debian 13
                #
                #built%3A today
                agent: enabled=1
                bios: ovmf
                boot: order=scsi0
                cores: 2
                cpu: x86-64-v2-AES
                efidisk0: local-lvm:vm-100-disk-1,efitype=4m,pre-enrolled-keys=1,size=528K
                ide2: local-lvm:vm-100-cloudinit,media=cdrom
                ipconfig0: ip=dhcp
                memory: 2048
                meta: ctime=1700000000
                name: debian-13
                net0: virtio=\(try field("net0: virtio=", text)),bridge=vmbr0
                ostype: l26
                scsi0: local-lvm:vm-100-disk-0,discard=on,iothread=1,ssd=1,size=10G
                scsihw: virtio-scsi-single
                serial0: socket
                smbios1: uuid=\(try field("smbios1: uuid=", text))
                sockets: 1
                sshkeys: ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAIJ%20me%40here
                tags: debian;golden
                template: 1
                vga: serial0
                vmgenid: \(try field("vmgenid: ", text))
                #qmdump#map:scsi0:drive-scsi0:local-lvm:raw:
                #qmdump#map:efidisk0:drive-efidisk0:local-lvm:raw:

                """)
        #expect(Syntax.unicastMAC.matches(try field("net0: virtio=", text)))
        #expect(UUID(uuidString: try field("vmgenid: ", text)) != nil)
        var again = CountingGenerator()
        #expect(
            try machine.archiveText(
                drives: [
                    .init(slot: DriveSlot(bus: .scsi, index: 0), size: 10 << 30), .init(slot: .efi, size: 540_672),
                ],
                vmid: 100, created: Date(timeIntervalSince1970: 1_700_000_000), using: &again) == text)
    }

    private func field(_ opening: String, _ text: String) throws -> String {
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(opening) })
        return String(line.dropFirst(opening.count).prefix { $0 != "," })
    }

    @Test("an archive cannot hold a drive that the machine does not have, nor one that is left out of backups")
    func strangeDrives() {
        var generator = CountingGenerator()
        let scsi1 = ArchivedDrive(slot: DriveSlot(bus: .scsi, index: 1), size: 1024)
        #expect(throws: BuildError.self) {
            try example.archiveText(drives: [scsi1], vmid: 100, created: .now, using: &generator)
        }
        var machine = example
        machine.disks[0].isBackedUp = false
        #expect(throws: BuildError.self) {
            try machine.archiveText(
                drives: [.init(slot: machine.disks[0].slot, size: 1024)], vmid: 100, created: .now, using: &generator)
        }
    }

    @Test(
        "lines of a description are escaped",
        arguments: [
            ("100% ä: x", "100%25 %C3%A4%3A x"), ("tab\there", "tab%09here"), ("#qmdump#map", "#qmdump#map"),
            ("qmdump#map", "%71mdump#map"), ("vzdump#x", "%76zdump#x"), ("[snapshot]", "[snapshot]"),
        ])
    func descriptions(line: String, escaped: String) {
        #expect(PercentEncoding.descriptionLine(line) == escaped)
    }

    @Test("a description cannot bring options of its own into the archive's text")
    func hostileDescription() throws {
        var generator = CountingGenerator()
        var machine = example
        machine.description = "x\r\nargs: -x\nqmdump#map:scsi0:evil:local:raw:"
        let text = try machine.archiveText(drives: [], vmid: 100, created: .now, using: &generator)
        #expect(text.hasPrefix("#x\n#args%3A -x\n#%71mdump#map%3Ascsi0%3Aevil%3Alocal%3Araw%3A\n"))
    }

    @Test("parameters of the creating call name the import, and the key twice encoded")
    func parameters() {
        var machine = example
        machine.bios = .ovmf
        machine.efiDisk = .init()
        machine.tpm = .init()
        machine.pool = "images"
        let slot = DriveSlot(bus: .scsi, index: 0)
        let given = Dictionary(
            uniqueKeysWithValues: machine.creationParameters(drives: [slot: .copy(of: "local:import/x.qcow2")])
                .map { ($0.key, $0.value) })
        #expect(given["scsi0"] == "local-lvm:0,import-from=local:import/x.qcow2,discard=on,iothread=1,ssd=1")
        #expect(given["efidisk0"] == "local-lvm:1,efitype=4m,pre-enrolled-keys=0")
        #expect(given["tpmstate0"] == "local-lvm:1,version=v2.0")
        #expect(given["ide2"] == "local-lvm:cloudinit,media=cdrom")
        #expect(given["description"] == "Debian 13\n\nbuilt: today")
        #expect(given["boot"] == "order=scsi0")
        #expect(given["pool"] == "images")
        #expect(given["template"] == nil)
        #expect(given["sshkeys"] == "ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAIJ%20me%40here")
        #expect(PercentEncoding.form([("sshkeys", "a%20b")]) == "sshkeys=a%2520b")
    }

    @Test("a boot order waits for the disk that it names")
    func bootOrder() {
        let early = example.creationParameters(drives: [:])
        #expect(!early.contains { $0.key == "boot" || $0.key == "scsi0" })
        let late = example.attachmentParameters(drives: [example.disks[0].slot: .volume("local-lvm:vm-100-disk-0")])
        #expect(late.map(\.key) == ["scsi0", "boot"])
        #expect(late.first?.value == "local-lvm:vm-100-disk-0,discard=on,iothread=1,ssd=1")
    }

    @Test("sizes are written in the largest unit that divides them")
    func sizes() {
        #expect(MachineConfiguration.sizeText(10 << 30) == "10G")
        #expect(MachineConfiguration.sizeText((10 << 30) + 1024) == "10485761K")
        #expect(MachineConfiguration.sizeText(1000) == "1000")
        #expect(MachineConfiguration.sizeText(2 << 40) == "2T")
    }

    @Test(
        "drive places are read back",
        arguments: ["scsi0", "scsi30", "ide3", "sata5", "virtio15", "efidisk0", "tpmstate0"])
    func slots(text: String) {
        #expect(DriveSlot(text)?.description == text)
    }

    @Test(
        "what is no drive place is refused",
        arguments: ["scsi31", "ide4", "scsi", "scsi00", "net0", "scsi-1", "efidisk1", ""])
    func badSlots(text: String) {
        #expect(DriveSlot(text) == nil)
    }

    @Test("an archive is named as the server demands")
    func archiveName() throws {
        let name = try BackupName(vmid: 9000, created: Date(timeIntervalSince1970: 1_767_323_045), isUTC: true)
        #expect(name.description == "vzdump-qemu-9000-2026_01_02-03_04_05.vma.zst")
        #expect(name.notesName == "vzdump-qemu-9000-2026_01_02-03_04_05.vma.zst.notes")
        #expect(throws: BuildError.self) { try BackupName(vmid: 99, created: .now) }
        #expect(
            BackupName.isRestorable(name.description) && BackupName.isRestorable("\(name)".replacing(".zst", with: "")))
        for other in ["debian.vma.zst", "vzdump-qemu-9000.vma.zst", "vzdump-lxc-\(name)", "\(name).notes"] {
            #expect(!BackupName.isRestorable(other))
        }
    }

    @Test("notes are cut between characters")
    func notes() {
        let bytes = BackupName.notes("a" + String(repeating: "ä", count: 20000))
        #expect(bytes.count == 32767)
        #expect(String(validating: bytes, as: UTF8.self) != nil)
    }
}
