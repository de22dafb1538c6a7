import Diagnostics
import Scopes
import Templates
import Testing

@testable import ComponentModel

@Suite("The block finish")
struct FinishTests {
    private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOwn jo@example"
    private let files = ["a.iso": "", "motd": "x", "data/motd": "x", "first.sh": "#!/bin/sh\n", "plain.sh": "echo\n"]

    private func loaded(_ options: String) -> Loaded {
        Loaded(qemuTemplate("finish {\n\(options)\n}"), files: files)
    }

    private func finish(_ options: String) throws -> FinishSettings {
        let loaded = loaded(options)
        #expect(loaded.errorMarks == [])
        return try #require(loaded.plan.builds.first?.source.finish)
    }

    @Test("an empty block does all that is usual, and without one nothing is done")
    func defaults() throws {
        let settings = try finish("")
        #expect(settings.generalises && settings.shrinks && settings.inspects && settings.check == .warn)
        #expect(settings.zeroesFreeSpace && settings.clearsSwap && settings.keptParts.isEmpty)
        #expect(settings.bills == [.spdx, .cyclonedx] && settings.hostName == .keep)
        #expect(settings.cloudInitDatasources == nil && settings.timeout == .seconds(3600))
        #expect(Loaded(qemuTemplate("")).plan.builds.first?.source.finish == nil)
    }

    @Test("every part can be chosen")
    func choices() throws {
        let settings = try finish(
            """
            generalise = true
            shrink = false
            inspect = false
            check = "error"
            keep = ["logs", "machine-id"]
            remove = ["/etc/foo", "/var/lib/x/*"]
            hostname = "golden.example.org"
            files = { "/etc/motd" = "motd" }
            file_content = { "/etc/issue" = "hello" }
            first_boot_scripts = ["first.sh"]
            authorized_keys = { "jo" = "\(Self.key)\\n\\n\(Self.key)" }
            permitted_keys = ["\(Self.key)"]
            cloud_init_datasources = ["NoCloud", "None"]
            timeout = "5m"
            """)
        #expect(!settings.shrinks && !settings.inspects && settings.bills.isEmpty && settings.check == .error)
        #expect(settings.keptParts == [.logs, .machineID])
        #expect(settings.removedPaths == ["/etc/foo", "/var/lib/x/*"])
        #expect(settings.hostName == .set("golden.example.org"))
        #expect(settings.files == ["/etc/motd": "motd"] && settings.fileContent == ["/etc/issue": "hello"])
        #expect(settings.firstBootScripts == ["first.sh"] && settings.permittedKeys == [Self.key])
        #expect(settings.authorizedKeys.map(\.user) == ["jo", "jo"])
        #expect(settings.cloudInitDatasources == ["NoCloud", "None"] && settings.timeout == .seconds(300))
        #expect(try finish("clear_hostname = true").hostName == .clear)
        #expect(try finish("resize_to_minimum = true").resizesToMinimum && !settings.resizesToMinimum)
        #expect(try finish("inspect = false\nsbom = [\"spdx\"]").bills == [.spdx])
    }

    @Test(
        "wrong options are refused where they stand",
        arguments: [
            ("check = \"eror\"", "invalid-value: \"eror\""), ("sbom = [\"cyclone\"]", "invalid-value: \"cyclone\""),
            ("shrink = false\nresize_to_minimum = true", "exclusive-options: true"),
            ("keep = [\"logs\", \"loggs\"]", "invalid-value: \"loggs\""),
            ("remove = [\"etc/foo\"]", "invalid-guest-path: \"etc/foo\""),
            ("remove = [\"/etc\"]", "invalid-guest-path: \"/etc\""),
            ("remove = [\"/*\"]", "invalid-guest-path: \"/*\""),
            ("remove = [\"/opt/../etc\"]", "invalid-guest-path: \"/opt/../etc\""),
            ("remove = [\"/\"]", "invalid-guest-path: \"/\""),
            ("hostname = \"a b\"", "invalid-value: \"a b\""),
            ("hostname = \"a\"\nclear_hostname = true", "exclusive-options: true"),
            ("files = { \"/etc/motd\" = \"none\" }", "missing-file: { \"/etc/motd\" = \"none\" }"),
            ("files = { \"motd\" = \"motd\" }", "invalid-guest-path: { \"motd\" = \"motd\" }"),
            (
                "files = { \"/a\" = \"motd\" }\nfile_content = { \"/a\" = \"x\" }",
                "exclusive-options: { \"/a\" = \"x\" }"
            ),
            ("first_boot_scripts = [\"gone.sh\"]", "missing-file: \"gone.sh\""),
            ("first_boot_scripts = [\"plain.sh\"]", "no-interpreter: \"plain.sh\""),
            ("authorized_keys = { \"jo\" = \"id.pub\" }", "no-public-key: { \"jo\" = \"id.pub\" }"),
            ("permitted_keys = [\"x\"]", "no-public-key: \"x\""),
            ("cloud_init_datasources = [\"Nocloud\"]", "invalid-value: \"Nocloud\""),
            ("timeout = \"0s\"", "invalid-value: \"0s\""), ("generalize = true", "unsupported-argument: generalize"),
            ("shrink = \"maybe\"", "wrong-type: \"maybe\""),
        ])
    func errors(_ options: String, _ expected: String) {
        #expect(loaded(options).errorMarks == [expected])
    }

    @Test("misspelt names are answered with the right ones")
    func didYouMean() {
        for (options, answer) in [
            ("generalize = true", "\"generalise\""), ("keep = [\"ssh-hostkeys\"]", "\"ssh-host-keys\""),
            ("sbom = [\"cyclondx\"]", "\"cyclonedx\""), ("files = { \"/etc/motd\" = \"data/mtod\" }", "\"data/motd\""),
            ("cloud_init_datasources = [\"Nocloud\"]", "\"NoCloud\""),
        ] {
            #expect(loaded(options).errors.first?.detail.contains("Did you mean \(answer)") == true, "\(options)")
        }
    }

    @Test("a JSON template has it as an object")
    func json() throws {
        let loaded = Loaded(
            LoadOptions(
                path: "t.json", workingDirectory: "/work",
                fileSystem: MemoryFiles(files: [
                    "/work/t.json": """
                    {"builders": [{"type": "qemu", "iso_url": "a.iso", "iso_checksum": "none", "ssh_username": "root",
                      "finish": {"shrink": false, "keep": ["logs"], "sbom": []}}]}
                    """
                ])))
        #expect(loaded.errorMarks == [])
        let settings = try #require(loaded.plan.builds.first?.source.finish)
        #expect(!settings.shrinks && settings.generalises && settings.keptParts == [.logs] && settings.bills.isEmpty)
    }

    @Test("two blocks are one too many")
    func twice() {
        let loaded = Loaded(qemuTemplate("finish {\n}\nfinish {\n}"))
        #expect(loaded.errorMarks == ["duplicate-block: finish"])
    }

    @Test("the schema of templates knows it")
    func schema() {
        #expect(templateSchema().contains("\"first_boot_scripts\""))
    }
}
