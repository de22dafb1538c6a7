import Foundation
import Pipeline
import Synchronization
import Testing
import VMA

@Suite("The post-processor proxmox-template")
struct ArchiveTests {
    /// As large as OVMF's variables.
    private let variables = Data((0..<540_672).map { UInt8(truncatingIfNeeded: $0 &* 3) })

    @Test("disks and UEFI variables come out of the archive as they went in, beside a machine that restores them")
    func wholeMachine() async throws {
        let second = Data((0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 29) }) + Data(count: 144)
        let build = try FinishedBuild(
            images: ["packer-vm": FinishedBuild.system, "packer-vm-1": second, "efivars.fd": variables, "sums": Data()])
        let artifacts = try await build.run(
            """
            post-processor "proxmox-template" {
              vm_id                = 9100
              template_name        = "golden"
              template_description = "Built: today"
              tags                 = "linux;golden"
              storage_pool         = "tank"
              cores                = 2
              network_adapters {
                bridge   = "vmbr7"
                vlan_tag = 12
              }
              cloud_init_user     = "admin"
              cloud_init_password = "correct horse"
            }
            """,
            source: """
                  efi_boot             = true
                  memory               = 1024
                  machine_type         = "q35"
                  disk_interface       = "virtio-scsi"
                  disk_additional_size = ["1M"]
                """)
        let files = try #require(artifacts.last?.files)
        #expect(artifacts.count == 2 && files.count == 2)
        let pattern = /output-vm\/vzdump-qemu-9100-\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d\.vma\.zst/
        #expect(try pattern.wholeMatch(in: files[0]) != nil)
        #expect(files[1] == files[0] + ".notes")
        #expect(try String(contentsOfFile: build.folder + "/" + files[1], encoding: .utf8) == "Built: today")
        #expect(build.names().contains("packer-vm"))
        let folder = build.folder + "/extracted"
        _ = try await extractArchive(build.folder + "/" + files[0], to: folder, device: nil)
        func extracted(_ name: String) throws -> Data {
            try Data(contentsOf: URL(filePath: folder + "/disk-drive-\(name).raw"))
        }
        #expect(try extracted("scsi0") == FinishedBuild.system)
        #expect(try extracted("scsi1").prefix(second.count) == second)
        #expect(try extracted("efidisk0") == variables)
        let text = try String(contentsOfFile: folder + "/qemu-server.conf", encoding: .utf8)
        let lines = Set(text.split(separator: "\n").map(String.init))
        for line in [
            "#Built%3A today", "agent: enabled=1", "bios: ovmf", "boot: order=scsi0", "ciuser: admin", "cores: 2",
            "efidisk0: tank:vm-9100-disk-2,efitype=4m,pre-enrolled-keys=0,size=528K", "ipconfig0: ip=dhcp",
            "ide2: tank:vm-9100-cloudinit,media=cdrom", "machine: q35", "memory: 1024", "name: golden",
            "scsi0: tank:vm-9100-disk-0,discard=on,iothread=1,size=1M", "scsihw: virtio-scsi-single",
            "tags: linux;golden", "template: 1", "#qmdump#map:efidisk0:drive-efidisk0:tank:raw:",
        ] {
            #expect(lines.contains(line), "no \(line) in:\n\(text)")
        }
        #expect(text.contains("\nnet0: virtio=") && text.contains(",bridge=vmbr7,tag=12\n"))
        #expect(text.contains("\ncipassword: $6$") && !text.contains("correct horse"))
    }

    @Test("the images go where they are not to be kept, and the archive can have a folder of its own")
    func dropped() async throws {
        let report = "packer-vm.report.json"
        let build = try FinishedBuild(images: ["packer-vm": Data(count: 1 << 20), report: Data("{}".utf8)])
        let artifacts = try await build.run(
            """
            post-processor "proxmox-template" {
              output              = "templates"
              keep_input_artifact = false
            }
            """)
        #expect(artifacts.map(\.files.count) == [1, 2])
        #expect(build.names(in: "templates").count == 2)
        // What describes the images is not the images.
        #expect(build.names(in: "output-vm") == [report])
    }

    @Test("of several archives in one second none takes another's place")
    func existing() async throws {
        let build = try FinishedBuild()
        let block = "  post-processor \"proxmox-template\" {\n    output = \"templates\"\n  }"
        _ = try await build.run(block)
        let name = try #require(build.names(in: "templates").first)
        let old = try Data(contentsOf: URL(filePath: build.folder + "/templates/" + name))
        _ = try await build.run(block)
        _ = try await build.run(block, force: true)
        #expect(try Data(contentsOf: URL(filePath: build.folder + "/templates/" + name)) == old)
        let archives = build.names(in: "templates").filter { $0.hasSuffix(".zst") }
        #expect(Set(archives).count == 3 && build.names(in: "templates").count == 6)
        for archive in archives { _ = try await verifyArchive(build.folder + "/templates/" + archive) }
    }

    @Test(
        "what cannot be archived is refused, and nothing is left",
        arguments: [
            (["packer-vm": Data(count: 4096), "efivars.fd": Data(count: 4096)], "4096 bytes", "OVMF_VARS_4M.fd"),
            (["other": Data(count: 4096)], "no image packer-vm", "right behind the build"),
        ])
    func refused(images: [String: Data], reason: String, advice: String) async throws {
        let build = try FinishedBuild(images: images)
        let error = await words {
            _ = try await build.run("  post-processor \"proxmox-template\" {}", source: "  efi_boot = true")
        }
        #expect(error.contains(reason) && error.contains(advice), "\(error)")
        #expect(build.names() == images.keys.sorted())
    }

    @Test("a cancelled archive leaves nothing")
    func cancelled() async throws {
        let build = try FinishedBuild()
        build.log.cancels.withLock { $0 = true }
        let running = Task { try await build.run("  post-processor \"proxmox-template\" {}") }
        await #expect(throws: CancellationError.self) { _ = try await running.value }
        #expect(build.names() == ["packer-vm"])
    }

    @Test("without UEFI variables the archive has none, and says what to do")
    func withoutVariables() async throws {
        let build = try FinishedBuild()
        _ = try await build.run("  post-processor \"proxmox-template\" {}", source: "  efi_boot = true\n  vtpm = true")
        #expect(build.log.warnings.contains { $0.contains("qm set VMID --efidisk0") })
        let name = try #require(build.names().last { $0.hasSuffix(".zst") })
        #expect(try await listArchive(build.folder + "/output-vm/" + name).devices.map(\.name) == ["drive-virtio0"])
    }
}
