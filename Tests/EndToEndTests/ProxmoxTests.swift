import Foundation
import Testing

@Suite("Proxmox templates of a small real guest", .serialized)
struct ProxmoxTests {
    @Test("format = \"proxmox\" leaves an archive, and what is extracted from it boots with what the build wrote")
    func archiveBoots() async throws {
        let bench = try Workbench()
        let machine = """
              disk_image = true
              boot_command = []
              boot_wait = "-1s"
              memory = 512
              efi_boot = true
            """
        try bench.write(
            Guest.template(
                source: machine + """

                      iso_url = "\(try Guest.disk.get())"
                      format = "proxmox"
                      disk_size = "60M"
                      disk_additional_size = ["8M"]
                      proxmox {
                        vm_id = 9001
                        template_name = "small"
                        cloud_init = true
                      }
                    """,
                build: shell("echo first | dd of=/dev/vda bs=1M seek=59 conv=notrunc; sync")
                    + shell("echo second | dd of=/dev/vdb bs=1M seek=7 conv=notrunc; sync")), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "-color=false", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        let made = try FileManager.default.contentsOfDirectory(atPath: bench.path + "/output-guest").sorted()
        #expect(made.count == 2 && made.allSatisfy { $0.hasPrefix("vzdump-qemu-9001-") })
        let archive = "output-guest/" + (made.first ?? "")
        #expect(archive.hasSuffix(".vma.zst"))

        let verified = try await bench.ingot("vma", "verify", archive)
        #expect(verified.status == 0 && verified.output.contains("the archive is whole"), "\(verified.output)")
        let list = try await bench.ingot("vma", "list", archive).output
        for device in ["drive-virtio0  60", "drive-virtio1  8", "drive-efidisk0  528"] {
            #expect(list.contains(device), "\(list)")
        }
        let extracted = try await bench.ingot("vma", "extract", archive, "x")
        #expect(extracted.status == 0, "\(extracted.output)")
        let second = try #require(FileManager.default.contents(atPath: bench.path + "/x/disk-drive-virtio1.raw"))
        #expect(second.count == 8 << 20 && second.dropFirst(7 << 20).prefix(7) == Data("second\n".utf8))
        #expect(try bench.read("x/qemu-server.conf").contains("\nname: small\n"))

        try bench.write(
            Guest.template(
                source: machine + """

                      iso_url = "x/disk-drive-virtio0.raw"
                      format = "raw"
                      skip_resize_disk = true
                      output_directory = "again"
                    """,
                build: shell("ls -d /sys/firmware/efi; dd if=/dev/vda bs=1M skip=59 2>/dev/null | head -c 6")),
            to: "again.pkr.hcl")
        let again = try await bench.ingot("build", "-color=false", "again.pkr.hcl")
        #expect(again.status == 0, "\(again.output)")
        #expect(again.output.contains("guest: /sys/firmware/efi\n") && again.output.contains("guest: first\n"))
    }
}
