import DataSources
import Foundation
import HCL
import Templates
import Testing

@Suite("host-info")
struct HostInfoTests {
    @Test(
        "the host is told in the words of Packer's plugin",
        arguments: [
            ("ID=debian\nVERSION_ID=\"12\"\n", "12.7\n", ["debian", "12.7", "debian"]),
            ("NAME=\"Ubuntu\"\nID=ubuntu\nVERSION_ID=\"24.04\"\n", "trixie/sid\n", ["ubuntu", "24.04", "debian"]),
            ("# x\nID=\"rhel\"\nVERSION_ID=\"9.4\"\n", nil, ["redhat", "9.4", "rhel"]),
            ("ID=fedora\nVERSION_ID=41\n", nil, ["fedora", "41", "fedora"]), ("ID=arch\n", nil, ["arch", "", "arch"]),
        ])
    func hosts(_ release: String, _ debian: String?, _ expected: [String]) async throws {
        try await withScratch { folder in
            try FileManager.default.createDirectory(atPath: folder + "/etc", withIntermediateDirectories: true)
            try release.write(toFile: folder + "/etc/os-release", atomically: true, encoding: .utf8)
            try debian?.write(toFile: folder + "/etc/debian_version", atomically: true, encoding: .utf8)
            let outputs = HostInfo(root: folder).answer.outputs
            #expect(["platform", "version", "family"].map { outputs[$0]?.stringValue } == expected)
            #expect(outputs["os_type"] == .string("linux") && outputs["architecture"]?.stringValue?.isEmpty == false)
        }
    }
}
