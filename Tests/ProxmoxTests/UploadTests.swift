import Foundation
import Proxmox
import ProxmoxConfiguration
import Scopes
import Synchronization
import Testing

@Suite("Uploading a template")
struct UploadTests {
    /// Uploads `change`d example to `cluster`.
    @discardableResult
    func run(
        _ cluster: FakeCluster, credentials: ProxmoxCredentials = FakeServer.token, shell: FakeShell? = nil,
        events: Events = Events(), pace: ProxmoxPace = .quick, change: (inout TemplateUpload) -> Void = { _ in }
    ) async throws -> UploadedTemplate {
        try await withImage { image in
            var upload = exampleUpload(image)
            change(&upload)
            let wanted = upload
            return try await FakeServer.with(cluster) { server in
                try await server.client(credentials, pace: pace) {
                    try await $0.uploadTemplate(wanted, shell: shell, report: events.report)
                }
            }
        }
    }

    @Test("through the API: the disk arrives whole, the template is complete, and the uploaded file is gone")
    func imported() async throws {
        let cluster = FakeCluster()
        let events = Events()
        let result = try await run(cluster, events: events)
        #expect(result == UploadedTemplate(vmid: 100, name: "debian-13", node: "pve"))
        #expect(events.sent == 300_000 && events.leftBehind == [])
        try cluster.state.withLock { state in
            let config = try #require(state.machines[100]).config
            #expect(config["template"] == "1" && config["name"] == "debian-13" && config["boot"] == "order=scsi0")
            #expect(config["scsi0"] == "local-lvm:vm-100-disk-0,discard=on,iothread=1,ssd=1")
            #expect(config["ide2"] == "local-lvm:vm-100-cloudinit,media=cdrom")
            #expect(config["sshkeys"] == "ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAIJ%20me%40here")
            #expect(
                config["description"]?.hasPrefix("Debian 13\n\nbuilt: today\n\n<!-- ingot template debian-13 ") == true)
            let disk = try #require(state.storages["local-lvm"]?.volumes["local-lvm:vm-100-disk-0"])
            #expect(disk.data == Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }))
            #expect(state.storages["local"]?.volumes.isEmpty == true)
        }
    }

    @Test("a password does as well as a token")
    func withPassword() async throws {
        let cluster = FakeCluster()
        try await run(cluster, credentials: FakeServer.password)
        #expect(cluster.state.withLock { $0.machines[100]?.config["template"] } == "1")
    }

    @Test("a shell on another node is refused before anything is sent, with the option to set")
    func wrongNode() async throws {
        let cluster = FakeCluster()
        let shell = FakeShell(cluster, named: "pve2")
        let text = await words { try await run(cluster, shell: shell) { $0.delivery = .shell } }
        #expect(text.contains("leads to “pve2”") && text.contains("Set ssh_host to the address of node pve"), "\(text)")
        #expect(shell.left == [] && cluster.state.withLock { $0.inventory } == "")
    }

    @Test("firmware variables and a TPM come along, and a disk grows")
    func firmware() async throws {
        let cluster = FakeCluster()
        _ = try await withImage(Data("variables".utf8)) { variables in
            try await run(cluster) { upload in
                upload.machine.bios = .ovmf
                upload.machine.efiDisk = .init(hasEnrolledKeys: true)
                upload.machine.tpm = .init()
                upload.images[0].grownSize = 20 << 30
                upload.images.append(.init(slot: .efi, path: variables, format: .raw))
            }
        }
        cluster.state.withLock { state in
            let config = state.machines[100]?.config ?? [:]
            #expect(config["efidisk0"]?.hasSuffix(",efitype=4m,pre-enrolled-keys=1") == true)
            let volume = String(config["efidisk0"]?.prefix { $0 != "," } ?? "")
            #expect(state.storages["local-lvm"]?.volumes[volume]?.data == Data("variables".utf8))
            #expect(config["tpmstate0"]?.hasSuffix(",version=v2.0") == true)
            #expect(config["scsi0"]?.hasSuffix(",size=20G") == true)
        }
    }

    @Test("an older server gets the disk through SSH, and the copy is gone")
    func shell() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock {
            $0.version = "7.1-4"
            $0.privileges = ["/": FakeCluster.State.enough.subtracting(["SDN.Use", "Datastore.AllocateTemplate"])]
        }
        let shell = FakeShell(cluster)
        let result = try await run(cluster, shell: shell)
        #expect(result.warnings == [] && shell.left == [])
        cluster.state.withLock { state in
            let config = state.machines[100]?.config ?? [:]
            #expect(config["template"] == "1" && config["boot"] == "order=scsi0" && config["unused0"] == nil)
            #expect(config["scsi0"] == "local-lvm:vm-100-disk-0,discard=on,iothread=1,ssd=1")
            #expect(state.storages["local-lvm"]?.volumes["local-lvm:vm-100-disk-0"]?.data.count == 300_000)
        }
        let command = try #require(shell.commands.withLock { $0.first })
        #expect(command.hasPrefix("LC_ALL=C qm importdisk 100 '/var/tmp/ingot-debian-13-scsi0-"))
        #expect(command.hasSuffix(".qcow2' 'local-lvm'"))
    }

    @Test("through SSH, firmware variables take the place of blank ones")
    func firmwareThroughShell() async throws {
        let cluster = FakeCluster()
        _ = try await withImage(Data("variables".utf8)) { variables in
            try await run(cluster, shell: FakeShell(cluster)) { upload in
                upload.delivery = .shell
                upload.machine.bios = .ovmf
                upload.machine.efiDisk = .init(hasEnrolledKeys: true)
                upload.images.append(.init(slot: .efi, path: variables, format: .raw))
            }
        }
        cluster.state.withLock { state in
            let config = state.machines[100]?.config ?? [:]
            let volume = String(config["efidisk0"]?.prefix { $0 != "," } ?? "")
            #expect(state.storages["local-lvm"]?.volumes[volume]?.data == Data("variables".utf8))
            #expect(config["efidisk0"]?.hasSuffix(",efitype=4m,pre-enrolled-keys=1") == true)
            #expect(!config.keys.contains { $0.hasPrefix("unused") })
        }
    }

    @Test("an option that the server does not know is named")
    func unknownOption() async throws {
        let cluster = FakeCluster()
        let text = await words { try await run(cluster) { $0.machine.otherOptions = ["intel-tdx": "1"] } }
        #expect(text.contains("does not know the option “intel-tdx”"), "\(text)")
        #expect(cluster.state.withLock { $0.inventory } == "")
    }

    @Test("without a way for the disk the error names both")
    func noWay() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock { $0.storages["local"]?.content = ["iso"] }
        let text = await words { try await run(cluster) }
        #expect(
            text.contains("no storage on node pve takes imports") && text.contains("Import") && text.contains("SSH"))
        cluster.state.withLock { $0.version = "8.3.2" }
        #expect(await words { try await run(cluster) }.contains("8.3.2 does not take uploads"))
        #expect(cluster.state.withLock { $0.inventory } == "")
    }

    @Test("every missing privilege is named before anything is sent")
    func privileges() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock {
            $0.privileges = [
                "/vms": FakeCluster.State.enough.subtracting(["VM.Config.Disk"]),
                "/storage/local-lvm": ["Datastore.AllocateSpace"],
                "/storage/local": ["Datastore.Audit"],
            ]
        }
        let text = await words { try await run(cluster) }
        #expect(text.contains("“VM.Config.Disk” on “/vms/100”"))
        #expect(text.contains("“Datastore.AllocateTemplate” on “/storage/local”"))
        #expect(text.contains("“SDN.Use” on “/sdn/zones/localnetwork/vmbr0”"))
        #expect(text.contains("ci@pve!ingot") && text.contains("PVEDatastoreAdmin"))
        #expect(cluster.state.withLock { $0.calls }.contains("upload") == false)
    }

    @Test("what is not on the server is named before anything is sent")
    func wrongNames() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock { $0.nodes["old"] = "offline" }
        #expect(await words { try await run(cluster) { $0.node = "other" } }.contains("Set `node` to one of: old, pve"))
        #expect(await words { try await run(cluster) { $0.node = "old" } }.contains("offline"))
        #expect(await words { try await run(cluster) { $0.node = nil } }.contains("several nodes"))
        #expect(await words { try await run(cluster) { $0.machine.storage = "tank" } }.contains("local-lvm"))
        #expect(
            await words { try await run(cluster) { $0.machine.storage = "local" } }.contains(
                "does not take disk images"))
        #expect(await words { try await run(cluster) { $0.delivery = .upload(storage: "nfs") } }.contains("“nfs”"))
        #expect(await words { try await run(cluster) { $0.images = [] } }.contains("no image for scsi0"))
        #expect(await words { try await run(cluster) { $0.images[0].path = "/nowhere" } }.contains("/nowhere"))
        #expect(await words { try await run(cluster) { $0.machine.name = "a_b" } }.contains("name: "))
        cluster.state.withLock { $0.storages["local"]?.available = 1000 }
        #expect(await words { try await run(cluster) }.contains("MiB left"))
        #expect(cluster.state.withLock { $0.calls }.contains("upload") == false)
    }

    @Test("a number that somebody else takes in between is not an obstacle")
    func stolenNumber() async throws {
        let cluster = FakeCluster()
        // The first is asked for to check privileges.
        cluster.state.withLock { $0.stolenNumbers = 2 }
        let result = try await run(cluster)
        #expect(result.vmid == 102)
        #expect(cluster.state.withLock { $0.machines[101]?.config } == ["name": "quicker"])
    }

    @Test("a number that is asked for and taken in between is an error, and the other machine stays")
    func takenNumber() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock {
            $0.faults = [
                .init(
                    call: "create", fault: .refuse(500, "unable to create VM 150 - VM 150 already exists on node 'pve'")
                )
            ]
        }
        cluster.state.withLock { $0.machines[150] = nil }
        let text = await words { try await run(cluster) { $0.machine.vmid = 150 } }
        #expect(text.contains("already exists") && text.contains("Choose another vm_id"))
        #expect(cluster.state.withLock { $0.inventory } == "")
    }

    @Test("a machine can be left without making it a template")
    func machineOnly() async throws {
        let cluster = FakeCluster()
        try await run(cluster) { $0.machine.isTemplate = false }
        #expect(cluster.state.withLock { $0.machines[100]?.config["template"] } == nil)
        #expect(cluster.state.withLock { $0.calls }.contains("template") == false)
    }
}
