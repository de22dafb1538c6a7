import Diagnostics
import ProxmoxConfiguration
import Scopes
import Templates
import Testing

@testable import ComponentModel

@Suite("Machines of Proxmox VE in templates")
struct ProxmoxSettingsTests {
    private func data() -> RunData {
        RunData(
            id: "", host: "", port: 0, user: "", password: Sensitive(""), connectionType: "none", runUUID: "",
            httpIP: "", httpPort: "0", sshPublicKey: "", sshPrivateKey: Sensitive(""))
    }

    private func archive(_ options: String, source: String = "") throws -> ProxmoxArchiveSettings {
        let loaded = Loaded(
            qemuTemplate(source, build: "post-processor \"proxmox-template\" {\n\(options)\n}"),
            files: ["keys.pub": "# mine\nssh-ed25519 AAAA me@here\n\nssh-rsa BBBB\n"])
        #expect(loaded.errorMarks == [])
        let planned = try #require(loaded.plan.builds.first?.postProcessors.first?.first)
        guard case .proxmoxTemplate(let settings) = try planned.settings(data()) else {
            throw TemplateFailure("another post-processor")
        }
        return settings
    }

    private func upload(
        _ options: String, force: Bool = false, environment: [String: String] = [:]
    ) throws -> ProxmoxUploadSettings {
        let loaded = Loaded(
            qemuTemplate("", build: "post-processor \"proxmox\" {\n\(options)\n}"), files: ["ca.pem": "", "key": ""]
        ) {
            $0.force = force
            $0.environment = environment
        }
        #expect(loaded.errorMarks == [])
        let planned = try #require(loaded.plan.builds.first?.postProcessors.first?.first)
        guard case .proxmoxUpload(let settings) = try planned.settings(data()) else {
            throw TemplateFailure("another post-processor")
        }
        return settings
    }

    @Test("without options the machine follows the source")
    func defaults() throws {
        let settings = try archive("")
        let machine = settings.machine.machine
        #expect(settings.output == nil && settings.level == 3)
        #expect(machine.vmid == 9000 && machine.name == "packer-vm" && machine.storage == "local-lvm")
        #expect(machine.memory == 512 && machine.cores == 1 && machine.sockets == 1 && machine.machine == nil)
        #expect(machine.disks.map { "\($0.slot)" } == ["virtio0"] && machine.bootOrder == ["virtio0"])
        #expect(machine.networks == [.init(bridge: "vmbr0")] && machine.bios == .seabios && machine.efiDisk == nil)
        #expect(machine.agent?.isEnabled == true && machine.cloudInit == nil && machine.isTemplate)
    }

    @Test("buses, firmware, processors and names are the source's")
    func derived() throws {
        let machine = try archive(
            "",
            source: """
                vm_name              = "Debian_13 golden.qcow2"
                disk_interface       = "virtio-scsi"
                disk_additional_size = ["1G", "2G"]
                net_device           = "e1000"
                efi_boot             = true
                machine_type         = "q35"
                cpus                 = 8
                sockets              = 2
                memory               = 4096
                """
        ).machine.machine
        #expect(machine.name == "Debian-13-golden" && machine.memory == 4096 && machine.machine == "q35")
        #expect(machine.cores == 4 && machine.sockets == 2)
        #expect(machine.disks.map { "\($0.slot)" } == ["scsi0", "scsi1", "scsi2"])
        #expect(machine.disks.allSatisfy { $0.discards && $0.hasIOThread })
        #expect(machine.scsiController == .virtioSingle && machine.networks.first?.model == .e1000)
        #expect(machine.bios == .ovmf && machine.efiDisk != nil)
    }

    @Test("every option is taken, as Packer spells it")
    func everything() throws {
        let settings = try archive(
            """
            vm_id = 123
            template_name = "t.example"
            tags = "a;b"
            os = "win11"
            scsi_controller = "pvscsi"
            cpu_type = "host"
            qemu_agent = false
            onboot = true
            serials = ["socket"]
            boot = "order=sata0;net0"
            compression_level = 19
            output = "there"
            vga {
              type = "serial0"
            }
            network_adapters {
              bridge = "vmbr1"
              model  = "vmxnet3"
            }
            network_adapters {
              bridge      = "vmbr2"
              mtu         = 9000
              firewall    = true
              mac_address = "02:00:00:00:00:01"
            }
            disks {
              type         = "sata"
              storage_pool = "ceph"
              format       = "raw"
              ssd          = true
              discard      = false
              cache_mode   = "writeback"
            }
            cloud_init_disk_type    = "scsi"
            cloud_init_user         = "admin"
            cloud_init_password     = "hunter2"
            cloud_init_ssh_keys     = ["ssh-ed25519 CCCC"]
            cloud_init_ssh_key_files = ["keys.pub"]
            cloud_init_disable_upgrade_packages = true
            nameserver              = "1.1.1.1 9.9.9.9"
            searchdomain            = "example.com"
            ipconfig {
              ip      = "10.0.0.5/24"
              gateway = "10.0.0.1"
            }
            additional_options = { hotplug = "disk" }
            """)
        let machine = settings.machine.machine
        #expect(settings.level == 19 && settings.output == "there")
        #expect(machine.vmid == 123 && machine.tags == ["a", "b"] && machine.osType == .win11)
        #expect(machine.scsiController == .pvscsi && machine.cpu == "host" && machine.agent?.isEnabled == false)
        #expect(machine.bootOrder == ["sata0", "net0"] && machine.vga?.type == "serial0" && machine.startsOnBoot)
        #expect(machine.networks.map(\.bridge) == ["vmbr1", "vmbr2"] && machine.networks[1].mtu == 9000)
        let disk = try #require(machine.disks.first)
        #expect("\(disk.slot)" == "sata0" && disk.storage == "ceph" && disk.isSSD && !disk.discards)
        #expect(disk.cache == .writeback && !disk.hasIOThread)
        let drive = try #require(machine.cloudInit)
        #expect("\(drive.slot)" == "scsi0" && drive.user == "admin" && drive.upgradesPackages == false)
        #expect(drive.sshKeys == ["ssh-ed25519 CCCC", "ssh-ed25519 AAAA me@here", "ssh-rsa BBBB"])
        #expect(drive.password?.reveal().hasPrefix("$6$") == true)
        #expect(drive.nameservers == ["1.1.1.1", "9.9.9.9"] && drive.searchDomains == ["example.com"])
        #expect(drive.addresses == [.init(ip: "10.0.0.5/24", gateway: "10.0.0.1")])
        #expect(machine.otherOptions == ["hotplug": "disk"])
    }

    @Test("a JSON template takes the same, blocks as objects or lists of them")
    func json() throws {
        let loaded = Loaded(
            "",
            files: [
                "t.json": """
                {
                  "builders": [{
                    "type": "qemu", "iso_url": "a.iso", "iso_checksum": "none", "ssh_username": "root",
                    "format": "proxmox", "proxmox": { "vm_id": "200", "network_adapters": [{ "bridge": "vmbr3" }] }
                  }]
                }
                """
            ], path: "t.json")
        #expect(loaded.errorMarks == [])
        let source = try #require(loaded.plan.builds.first?.source)
        #expect(source.proxmox?.machine.machine.vmid == 200 && source.disk.format == .qcow2)
        #expect(source.proxmox?.machine.machine.networks.map(\.bridge) == ["vmbr3"])
        #expect(source.disk.skipsCompaction)
    }

    @Test("the server comes from options before the environment, and an explicit word decides about what exists")
    func server() throws {
        let environment = [
            "PROXMOX_URL": "https://env:8006", "PROXMOX_USERNAME": "env@pve!t", "PROXMOX_TOKEN": "from-env",
        ]
        let settings = try upload("", environment: environment)
        #expect(settings.url == "https://env:8006" && settings.token?.reveal() == "from-env")
        #expect(settings.trust == .system && settings.existing == .refuse && settings.delivery == .automatic)
        #expect(
            settings.machine.machine.vmid == nil && settings.shell == nil && "\(settings)".contains("from-env") == false
        )
        #expect(try upload("", force: true, environment: environment).existing == .replace(any: false))
        #expect(
            try upload("existing = \"replace\"", force: true, environment: environment).existing == .replace(any: true))
        let versions = try upload("existing = \"version\"\nkeep = 3", environment: environment)
        #expect(versions.existing == .version(label: nil, keep: 3))
        for url in ["https://127.0.0.1:99999", "https://", "ftp://x", "https://u:hunter2@own:8006"] {
            let refused = Loaded(
                qemuTemplate(
                    "", build: "post-processor \"proxmox\" {\n storage_pool = \"x\"\n proxmox_url = \"\(url)\"\n}"),
                files: ["a.iso": ""]
            ) { $0.environment = environment }
            #expect(
                refused.errors.contains { ["template/invalid-url", "template/secret-in-url"].contains($0.id) }, "\(url)"
            )
            let drawn = refused.errors.map(DiagnosticRenderer(files: refused.files).render).joined()
            #expect(!drawn.contains("hunter2"))
        }
        let own = try upload(
            """
            proxmox_url = "https://own:8006"
            ca_file = "ca.pem"
            import_storage_pool = "local"
            ssh_agent_auth = true
            disks {
              disk_size = "20G"
            }
            """, environment: environment)
        #expect(own.url == "https://own:8006" && own.trust == .authorities(file: "ca.pem"))
        #expect(own.delivery == .upload(storage: "local") && own.shell?.username == "root" && own.shell?.port == 22)
        #expect(own.machine.grownSizes == [DriveSlot(bus: .virtio, index: 0): 20 << 30])
    }
}
