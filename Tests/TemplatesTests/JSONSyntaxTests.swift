import Diagnostics
import Templates
import Testing

@testable import ComponentModel

@Suite("Templates in the JSON syntax of HCL")
struct JSONSyntaxTests {
    private static let text = #"""
        {
          "//": "a comment",
          "packer": {"required_plugins": {"qemu": {"version": ">= 1.0", "source": "github.com/hashicorp/qemu"}}},
          "variable": {"size": {"type": "string", "default": "4G"}, "list": {"type": "list(string)", "default": []}},
          "locals": {"name": "vm-${var.size}"},
          "source": {"qemu": {"vm": {
            "iso_url": "a.iso", "iso_checksum": "none", "ssh_username": "root",
            "vm_name": "${local.name}", "disk_size": "${var.size}", "memory": 1024, "headless": true,
            "qemuargs": [["-name", "x"]], "cd_content": {"user-data": "one"}
          }}},
          "build": {
            "sources": ["source.qemu.vm"],
            "provisioner": [
              {"shell": {"inline": ["echo ${source.name}"]}},
              {"file": {"content": "x", "destination": "/tmp/x"}}
            ],
            "post-processors": {"post-processor": {"checksum": {"checksum_types": ["sha256"]}}}
          }
        }
        """#

    @Test("a template gives the plan that its native form gives", arguments: ["t.pkr.json", "."])
    func plan(path: String) throws {
        let loaded = Loaded("", files: ["t.pkr.json": Self.text], path: path)
        #expect(loaded.errors.map(\.summary) == [])
        let build = try #require(loaded.plan.builds.first)
        #expect(build.source.vmName == "vm-4G")
        #expect(build.source.disk.size == 4 << 30)
        #expect(build.source.machine.memory == 1024)
        #expect(build.source.seeds.cdContent == ["user-data": "one"])
        #expect(build.provisioners.map(\.type) == ["shell", "file"])
        #expect(build.postProcessors.map { $0.map(\.type) } == [["checksum"]])
    }

    @Test("mistakes are told with their place in the JSON")
    func mistakes() {
        let text = Self.text.replacing("\"memory\"", with: "\"memery\"").replacing(
            "var.size}\"},", with: "var.sise}\"},")
        let loaded = Loaded("", files: ["t.pkr.json": text], path: "t.pkr.json")
        let summaries = loaded.errors.map(\.summary)
        #expect(summaries.contains { $0.contains("memery") })
        #expect(summaries.contains { $0.contains("sise") })
        #expect(loaded.errors.allSatisfy { $0.subject != nil })
    }

    @Test("a registry and a communicator are accepted and do nothing")
    func inertBlocks() {
        let text = Self.text.replacing(
            "\"locals\":",
            with:
                "\"hcp_packer_registry\": {\"bucket_name\": \"b\"}, \"communicator\": {\"ssh\": {\"x\": {}}}, \"locals\":"
        )
        let loaded = Loaded("", files: ["t.pkr.json": text], path: "t.pkr.json")
        #expect(loaded.errors.map(\.summary) == [])
        #expect(loaded.warnings.map(\.id).contains("template/registry"))
    }
}
