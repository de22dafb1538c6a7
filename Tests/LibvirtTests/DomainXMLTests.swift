import Foundation
import Libvirt
import Testing

@Suite("Domain XML")
struct DomainXMLTests {
    /// To write the files anew after a change that was meant: `INGOT_RECORD=1 swift test --filter DomainXMLTests`, then read the
    /// difference.
    @Test("a machine's XML is the one in its file", arguments: GoldenMachines.all.keys.sorted())
    func golden(name: String) throws {
        let machine = try #require(GoldenMachines.all[name])
        let xml = domainXML(machine)
        if ProcessInfo.processInfo.environment["INGOT_RECORD"] != nil {
            let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Machines")
            try Data(xml.utf8).write(to: folder.appending(path: name + ".xml"))
        }
        let file = try #require(Bundle.module.url(forResource: name, withExtension: "xml", subdirectory: "Machines"))
        #expect(try xml == String(contentsOf: file, encoding: .utf8))
    }

    @Test("libvirt's schema takes every machine's XML", arguments: GoldenMachines.all.keys.sorted())
    func valid(name: String) async throws {
        let machine = try #require(GoldenMachines.all[name])
        let result = try await validated(domainXML(machine))
        #expect(result.isValid, "\(result.output)")
    }

    @Test(
        "libvirt's schema refuses what is wrong",
        arguments: [
            ("<memballoon", "<memoryballoon"), ("bus='virtio'", "bus='virtual'"), ("<on_crash>", "<x/><on_crash>"),
        ])
    func invalid(_ change: (right: String, wrong: String)) async throws {
        let xml = domainXML(GoldenMachines.machine()).replacing(change.right, with: change.wrong)
        #expect(try await validated(xml).isValid == false)
    }

    @Test("no machine has a place on the PCI bus twice", arguments: GoldenMachines.all.keys.sorted())
    func places(name: String) throws {
        let xml = domainXML(try #require(GoldenMachines.all[name]))
        let slots = xml.matches(of: /<address type='pci'.* slot='(0x[0-9a-f]+)'/).map { String($0.1) }
        #expect(Set(slots).count == slots.count)
    }

    /// Asks virt-xml-validate (Debian package libvirt-clients, with xmllint of libxml2-utils).
    private func validated(_ xml: String) async throws -> (isValid: Bool, output: String) {
        let path = NSTemporaryDirectory() + "ingot-domain-\(UUID().uuidString).xml"
        try Data(xml.utf8).write(to: URL(filePath: path))
        defer { unlink(path) }
        let output = path + ".out"
        defer { unlink(output) }
        let status = await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: run(["virt-xml-validate", path, "domain"], output: output)) }
                .start()
        }
        try #require(status != 127, "virt-xml-validate and xmllint are needed: scripts/install-dependencies")
        return (status == 0, try String(contentsOfFile: output, encoding: .utf8))
    }
}

/// Runs a program of PATH with both its outputs in a file.
///
/// - Returns: Its exit code; 127 where there is no such program.
func run(_ arguments: [String], output: String) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    defer { for word in words { free(word) } }
    words.append(nil)
    var process: pid_t = 0
    guard posix_spawnp(&process, arguments[0], &actions, nil, words, environ) == 0 else { return 127 }
    var status: Int32 = 0
    guard waitpid(process, &status, 0) == process else { return 127 }
    return status >> 8 & 0xFF
}
