import Diagnostics
import Scopes
import Templates
import Testing

@testable import ComponentModel

@Suite("Builds")
struct BuildTests {
    private let two = """
        source "qemu" "a" {
          iso_url = "a.iso"
          iso_checksum = "none"
          communicator = "none"
        }
        source "qemu" "b" {
          iso_url = "b.iso"
          iso_checksum = "none"
          communicator = "none"
        }

        """

    private func names(_ build: String, _ change: (inout LoadOptions) -> Void = { _ in }) -> [String] {
        Loaded(two + build, change: change).plan.builds.map(\.name)
    }

    private let data = RunData(
        id: "i", host: "127.0.0.1", port: 2222, user: "root", password: Sensitive("pw"), connectionType: "ssh",
        runUUID: "uuid", httpIP: "10.0.2.2", httpPort: "8080", sshPublicKey: "", sshPrivateKey: Sensitive(""))

    @Test("builds are named by build, type and use, in the template's order")
    func buildNames() {
        let build =
            "build {\n  name = \"n\"\n  sources = [\"source.qemu.b\", \"qemu.a\"]\n  source \"qemu.a\" {\n    name = \"other\"\n  }\n}\n"
        #expect(names(build) == ["n.qemu.b", "n.qemu.a", "n.qemu.other"])
    }

    @Test("-only and -except are globs over the whole name")
    func selection() {
        let build = "build {\n  name = \"n\"\n  sources = [\"qemu.a\", \"qemu.b\"]\n}\n"
        #expect(names(build) { $0.only = ["*.qemu.a"] } == ["n.qemu.a"])
        #expect(names(build) { $0.except = ["n.*.a"] } == ["n.qemu.b"])
        let none = Loaded(two + build) { $0.only = ["qemu.a"] }
        #expect(none.errors.map(\.id) == ["template/no-builds"])
        #expect(none.warnings.isEmpty)
        let half = Loaded(two + build) { $0.only = ["*.a", "qemu.b"] }
        #expect(half.warnings.map(\.id).contains("template/unmatched-pattern"))
    }

    @Test("a build-level source adds options and cannot override them")
    func useOptions() {
        let good = Loaded(
            two + "build {\n  source \"qemu.a\" {\n    name = \"x\"\n    vm_name = \"v-${source.name}\"\n  }\n}\n")
        #expect(good.errorMarks == [])
        #expect(good.plan.builds.first?.source.vmName == "v-x")
        #expect(good.plan.builds.first?.source.outputDirectory == "output-a")
        let bad = Loaded(two + "build {\n  source \"qemu.a\" {\n    iso_url = \"c.iso\"\n  }\n}\n")
        #expect(bad.errorMarks == ["duplicate-argument: iso_url"])
        #expect(bad.errors.first?.notes.map { bad.mark($0.range) } == ["iso_url"])
    }

    @Test("only and except of a block are exact and by use name")
    func blockSelection() throws {
        let loaded = Loaded(
            two
                + """
                build {
                  sources = ["qemu.a"]
                  source "qemu.b" {
                    name = "x"
                  }
                  provisioner "shell-local" {
                    only   = ["qemu.x"]
                    inline = ["true"]
                  }
                  provisioner "shell-local" {
                    except = ["qemu.x"]
                    inline = ["true"]
                    name   = "second"
                  }
                  provisioner "shell-local" {
                    only   = ["qemu.*"]
                    inline = ["true"]
                  }
                }
                """)
        #expect(loaded.errorMarks == [])
        #expect(loaded.plan.builds.map { $0.provisioners.map { $0.name ?? "" } } == [["second"], [""]])
    }

    @Test("override replaces single options for one source")
    func overrides() throws {
        let loaded = Loaded(
            two
                + """
                build {
                  sources = ["qemu.a", "qemu.b"]
                  provisioner "shell-local" {
                    inline = ["one"]
                    override = {
                      b = { inline = ["two"] }
                    }
                  }
                }
                """)
        #expect(loaded.errorMarks == [])
        let scripts = try loaded.plan.builds.map { build in
            guard case .shellLocal(let settings) = try build.provisioners[0].settings(data) else {
                throw TemplateFailure("not shell-local")
            }
            return settings.scripts
        }
        #expect(scripts == [.inline(["one"]), .inline(["two"])])
    }

    @Test("options of a provisioner are evaluated again with what the run knows")
    func runData() throws {
        let loaded = Loaded(
            qemuTemplate(
                "",
                build: """
                    provisioner "shell" {
                      inline           = ["echo ${build.ID} ${build.Host}:${build.Port} ${source.name} ${build.PackerHTTPAddr}"]
                      environment_vars = ["A=1", "B=2"]
                      env              = { B = "3" }
                      execute_command  = "{{ .Vars }} {{ .Path }}"
                    }
                    """))
        #expect(loaded.errorMarks == [])
        guard case .shell(let settings)? = try loaded.plan.builds.first?.provisioners.first?.settings(data) else {
            Issue.record("not shell")
            return
        }
        #expect(settings.scripts == .inline(["echo i 127.0.0.1:2222 vm 10.0.2.2:8080"]))
        #expect(settings.environment.map { "\($0.name)=\($0.value)" } == ["A=1", "B=3"])
        #expect(settings.executeCommand == "{{ .Vars }} {{ .Path }}")
        #expect(settings.remoteFolder == "/tmp" && settings.validExitCodes == [0])
    }

    @Test("an option that is wrong only at run time fails then, with its place")
    func runTimeFailure() throws {
        let loaded = Loaded(
            qemuTemplate("", build: "provisioner \"file\" {\n source = \"${build.ID}\"\n destination = \"/x\"\n}"))
        #expect(loaded.errorMarks == [])
        let provisioner = try #require(loaded.plan.builds.first?.provisioners.first)
        let failure = #expect(throws: TemplateFailure.self) { try provisioner.settings(data) }
        #expect(failure?.description.contains("t.pkr.hcl") == true)
    }

    @Test("meta attributes are read, and pause_before switches the timeout off")
    func meta() throws {
        let loaded = Loaded(
            qemuTemplate(
                "",
                build: """
                    provisioner "shell" {
                      inline = ["true"]
                      pause_before = "10s"
                      timeout = "1m"
                      max_retries = 3
                      continue_on_error = true
                    }
                    error-cleanup-provisioner "shell-local" {
                      inline = ["true"]
                    }
                    post-processor "manifest" {}
                    post-processors {
                      post-processor "checksum" {
                        checksum_types = ["sha256"]
                        keep_input_artifact = false
                      }
                      post-processor "shell-local" {
                        name = "last"
                        inline = ["true"]
                      }
                    }
                    """))
        #expect(loaded.errorMarks == [])
        let build = try #require(loaded.plan.builds.first)
        let shell = try #require(build.provisioners.first)
        #expect(
            shell.pauseBefore == .seconds(10) && shell.timeout == nil && shell.maxRetries == 3 && shell.continueOnError)
        #expect(build.errorCleanupProvisioner?.type == "shell-local")
        #expect(build.postProcessors.map { $0.map(\.type) } == [["manifest"], ["checksum", "shell-local"]])
        #expect(build.postProcessors[1][0].keepInputArtifact == false)
        let except = Loaded(
            qemuTemplate(
                "",
                build: """
                    post-processors {
                      post-processor "manifest" {}
                      post-processor "checksum" {}
                      post-processor "manifest" {}
                    }
                    """)
        ) { $0.except = ["checksum"] }
        #expect(except.plan.builds.first?.postProcessors.map { $0.map(\.type) } == [["manifest"]])
    }

    @Test("dynamic blocks are written out")
    func dynamic() {
        let loaded = Loaded(
            two
                + """
                locals {
                  names = ["one", "two"]
                }
                build {
                  dynamic "source" {
                    for_each = local.names
                    labels   = ["qemu.a"]
                    content {
                      name             = source.value
                      output_directory = "out-${source.key}"
                    }
                  }
                  dynamic "provisioner" {
                    for_each = { x = "true" }
                    iterator = item
                    labels   = ["shell-local"]
                    content {
                      inline = ["${item.key} ${item.value}"]
                    }
                  }
                }
                """)
        #expect(loaded.errorMarks == [])
        #expect(loaded.plan.builds.map(\.name) == ["qemu.one", "qemu.two"])
        #expect(loaded.plan.builds.map { $0.provisioners.count } == [1, 1])
    }

    @Test("dynamic blocks that depend on the source are expanded for each source, nested ones too")
    func dynamicBySource() {
        let loaded = Loaded(
            two
                + """
                build {
                  sources = ["qemu.a", "qemu.b"]
                  dynamic "provisioner" {
                    for_each = source.name == "a" ? ["x"] : []
                    labels   = ["shell-local"]
                    content {
                      name   = "only-${source.name}"
                      inline = ["true"]
                    }
                  }
                  dynamic "provisioner" {
                    for_each = source.type == "qemu" ? ["y"] : ["z"]
                    labels   = ["shell-local"]
                    content {
                      name   = provisioner.value
                      inline = ["true"]
                    }
                  }
                  dynamic "error-cleanup-provisioner" {
                    for_each = source.name == "b" ? [1] : []
                    labels   = ["shell-local"]
                    content {
                      inline = ["true"]
                    }
                  }
                  dynamic "post-processors" {
                    for_each = source.name == "b" ? [1, 2] : []
                    content {
                      dynamic "post-processor" {
                        for_each = [source.name]
                        labels   = ["checksum"]
                        content {
                          name   = post-processor.value
                          except = source.name == "b" && post-processors.value == 2 ? ["qemu.b"] : []
                        }
                      }
                    }
                  }
                }
                """)
        #expect(loaded.errorMarks == [])
        #expect(loaded.plan.builds.map { $0.provisioners.map { $0.name ?? "-" } } == [["only-a", "y"], ["y"]])
        #expect(loaded.plan.builds.map { $0.errorCleanupProvisioner != nil } == [false, true])
        #expect(loaded.plan.builds.map { $0.postProcessors.map { $0.map { $0.name ?? "-" } } } == [[], [["b"]]])
    }

    @Test(
        "source.name is refused at its place where no source is chosen yet",
        arguments: [
            ("name = source.name", "source-not-known: source.name"),
            ("sources = [\"qemu.${source.name}\"]", "source-not-known: source.name"),
            (
                "dynamic \"source\" {\n for_each = [try(source.type, 1)]\n labels = [\"qemu.a\"]\n content {\n name = \"x\"\n }\n}",
                "source-not-known: source.type"
            ),
        ])
    func sourceOutsideOfSources(text: String, expected: String) {
        #expect(Loaded(two + "build {\n\(text)\n}").errorMarks.first == expected)
    }

    @Test(
        "a block or a meta attribute that depends on an unknown value does not vanish from a build",
        arguments: [
            "dynamic \"provisioner\" {\n for_each = @\n labels = [\"shell-local\"]\n content {\n inline = [\"true\"]\n }\n}",
            "dynamic \"provisioner\" {\n for_each = [1]\n labels = [@]\n content {\n inline = [\"true\"]\n }\n}",
            "dynamic \"post-processors\" {\n for_each = [1]\n content {\n dynamic \"post-processor\" {\n for_each = [1]\n"
                + "labels = [@]\n content {\n }\n }\n }\n}",
            "provisioner \"shell-local\" {\n only = [@]\n inline = [\"true\"]\n}",
            "provisioner \"shell-local\" {\n pause_before = @\n inline = [\"true\"]\n}",
            "post-processor \"checksum\" {\n name = @\n}",
        ])
    func unknownBlocks(text: String) {
        let build = text.replacing("@", with: "packer.iterationID")
        let built = Loaded(two + "build {\n sources = [\"qemu.a\"]\n\(build)\n}")
        #expect(Set(built.errors.map(\.id)) == ["template/unknown-value"])
        #expect(built.errors.allSatisfy { built.mark($0.subject).contains("packer.iterationID") })
        // Data sources are unknown only there.
        let validated = Loaded(two + "build {\n sources = [\"qemu.a\"]\n\(build)\n}") { $0.isValidation = true }
        #expect(validated.errorMarks == [])
    }

    private func checksumFile(_ build: PlannedBuild) throws -> String {
        guard case .checksum(let settings)? = try build.postProcessors.first?.first?.settings(data) else {
            throw TemplateFailure("not a checksum")
        }
        return settings.output
    }

    @Test("a source that two builds use gets checksum files of its own in each, and other sources Packer's names")
    func reusedSource() throws {
        let uses = "source \"qemu.a\" {\n name = \"x\"\n output_directory = \"o\"\n}"
        let loaded = Loaded(
            two
                + "build {\n name = \"n/1\"\n sources = [\"qemu.a\", \"qemu.b\"]\n \(uses)\n post-processor \"checksum\" {\n }\n}"
        )
        #expect(loaded.errorMarks == [])
        let ending = "_{{.BuilderType}}_{{.ChecksumType}}.checksum"
        #expect(
            try loaded.plan.builds.map(checksumFile)
                == ["packer_n-1.a" + ending, "packer_{{.BuildName}}" + ending, "packer_n-1.x" + ending])
        #expect(!loaded.warnings.map(\.id).contains("template/shared-checksums"))
    }

    @Test("two builds that add the same name to one checksum file are worth a warning, at the option")
    func sharedChecksums() {
        func warnings(_ vmName: String, _ output: String) -> [String] {
            let sources = two.replacing(
                "communicator = \"none\"", with: "communicator = \"none\"\n vm_name = \(vmName)")
            let loaded = Loaded(
                sources
                    + "build {\n sources = [\"qemu.a\", \"qemu.b\"]\n post-processor \"checksum\" {\n output = \"\(output)\"\n }\n}"
            )
            return loaded.warnings.filter { $0.id == "template/shared-checksums" }.map { loaded.mark($0.subject) }
        }
        #expect(warnings("\"disk\"", "SUMS") == ["\"SUMS\""])
        #expect(warnings("\"disk\"", "{{ .BuildName }}.SUMS") == [])
        #expect(warnings("source.name", "SUMS") == [])
    }

    @Test("the content of a dynamic block is checked even where its collection is not known yet")
    func unknownContent() {
        let build =
            "dynamic \"provisioner\" {\n for_each = packer.iterationID\n labels = [\"shell-local\"]\n content {\n inlin = []\n }\n}"
        let loaded = Loaded(two + "build {\n sources = [\"qemu.a\"]\n\(build)\n}") { $0.isValidation = true }
        #expect(loaded.errorMarks.first == "unsupported-argument: inlin")
    }

    @Test("an unknown value in a dynamic block of a source is an error of the build")
    func unknownSourceBlock() {
        let options = "dynamic \"qemu_img_args\" {\n for_each = packer.iterationID\n content {\n create = []\n }\n}"
        #expect(Loaded(qemuTemplate(options)).errorMarks == ["unknown-value: packer.iterationID"])
    }

    @Test(
        "-except that matches nothing is a warning with the name that was probably meant",
        arguments: [
            ("nosuch", "The template has: qemu.a, qemu.b, checksum, sums."), ("qemu.bb", "Did you mean \"qemu.b\"?"),
            ("b", "Did you mean \"qemu.b\"?"), ("cheksum", "Did you mean \"checksum\"?"),
            ("summs", "Did you mean \"sums\"?"),
        ])
    func unmatchedExcept(pattern: String, detail: String) {
        let build =
            "build {\n sources = [\"qemu.a\", \"qemu.b\"]\n post-processor \"checksum\" {\n name = \"sums\"\n }\n}"
        let loaded = Loaded(two + build) { $0.except = [pattern] }
        #expect(loaded.errorMarks == [])
        let warnings = loaded.warnings.filter { $0.id == "template/unmatched-pattern" }
        #expect(warnings.map(\.summary) == ["-except=\(pattern) matches no build and no post-processor"])
        #expect(warnings.map(\.detail) == [detail])
        for known in ["qemu.*", "checksum", "sums"] {
            let matched = Loaded(two + build) { $0.except = [known] }
            #expect(!matched.warnings.map(\.id).contains("template/unmatched-pattern"))
        }
    }

    @Test("a character device is a script; a terminal's or a pipe's text is not read before the build")
    func deviceAsScript() throws {
        for type in ["shell", "shell-local"] {
            let text = qemuTemplate("", build: "provisioner \"\(type)\" {\n scripts = [\"/dev/null\"]\n}")
            var files = MemoryFiles(files: ["/work/t.pkr.hcl": text])
            files.isReal = { $0.hasPrefix("/dev/") }
            let loaded = Loaded(LoadOptions(path: "t.pkr.hcl", workingDirectory: "/work", fileSystem: files))
            #expect(loaded.errorMarks == [])
        }
        #expect(throws: Never.self) { try RealFileSystem().checkReadable("/dev/zero") }
        #expect(throws: FileReadingError.self) { try RealFileSystem().checkReadable("/dev") }
    }

    @Test(
        "an execute_command that does not run the script is worth a warning",
        arguments: [
            ("shell", "execute_command = \"sudo sh -c 'true'\"", ["script-not-run"]),
            ("shell", "execute_command = \"sh {{ .Pth }}\"", ["no-value", "script-not-run"]),
            ("shell", "execute_command = \"{{ .Vars }} {{ $.Path }}\"", []),
            ("shell", "execute_command = \"sh /opt/s\"\n remote_path = \"/opt/s\"", []),
            ("shell-local", "execute_command = [\"sh\", \"-c\", \"true\"]", ["script-not-run"]),
            ("shell-local", "execute_command = [\"sh\", \"{{ .Script }}\"]", []),
        ])
    func executeCommand(type: String, options: String, expected: [String]) {
        let loaded = Loaded(
            qemuTemplate("", build: "provisioner \"\(type)\" {\n inline = [\"true\"]\n \(options)\n}"))
        #expect(loaded.errorMarks == [])
        let ids = loaded.warnings.map { $0.id.replacing("template/", with: "") }
        #expect(ids.filter { $0 != "no-checksum" } == expected)
    }

    @Test(
        "wrong builds are refused where they stand",
        arguments: [
            ("build {\n}", "no-source: build"), ("build {\n sources = [\"qemu.c\"]\n}", "unknown-source: \"qemu.c\""),
            ("build {\n sources = [\"qemu\"]\n}", "invalid-source: \"qemu\""),
            ("build {\n sources = \"qemu.a\"\n}", "wrong-type: \"qemu.a\""),
            ("build {\n sorces = []\n sources = [\"qemu.a\"]\n}", "unsupported-argument: sorces"),
            ("build {\n sources = [\"qemu.a\"]\n provisoner \"shell\" {\n }\n}", "unsupported-block: provisoner"),
            ("build {\n sources = [\"qemu.a\"]\n provisioner \"shel\" {\n }\n}", "unknown-type: \"shel\""),
            ("build {\n sources = [\"qemu.a\"]\n provisioner \"ansible\" {\n }\n}", "not-built-in: \"ansible\""),
            ("build {\n sources = [\"qemu.a\"]\n post-processor \"vagrnt\" {\n }\n}", "unknown-type: \"vagrnt\""),
            ("build {\n sources = [\"qemu.a\"]\n provisioner {\n }\n}", "wrong-labels: provisioner"),
            (
                "build {\n sources = [\"qemu.a\"]\n provisioner \"shell\" {\n }\n}",
                "missing-option: provisioner \"shell\""
            ),
            (
                "build {\n sources = [\"qemu.a\"]\n provisioner \"shell\" {\n inline = [\"x\"]\n script = \"t.pkr.hcl\"\n }\n}",
                "exclusive-options: \"t.pkr.hcl\""
            ),
            (
                "build {\n sources = [\"qemu.a\"]\n provisioner \"shell\" {\n script = \"gone.sh\"\n }\n}",
                "missing-file: \"gone.sh\""
            ),
            (
                "build {\n sources = [\"qemu.a\"]\n provisioner \"shell\" {\n inline = [\"x\"]\n environment_vars = [\"A\"]\n }\n}",
                "invalid-environment: \"A\""
            ),
            (
                "build {\n sources = [\"qemu.a\"]\n provisioner \"shell\" {\n inline = [\"x\"]\n only = [\"a\"]\n except = [\"b\"]\n }\n}",
                "exclusive-options: except"
            ),
            (
                "build {\n sources = [\"qemu.a\"]\n provisioner \"shell\" {\n inline = [\"x\"]\n pause_before = \"10\"\n }\n}",
                "wrong-type: \"10\""
            ),
            (
                "build {\n sources = [\"qemu.a\"]\n provisioner \"file\" {\n source = \"gone\"\n }\n}",
                "missing-option: provisioner \"file\", missing-file: \"gone\""
            ),
            (
                "build {\n sources = [\"qemu.a\"]\n post-processor \"checksum\" {\n checksum_types = [\"sha257\"]\n }\n}",
                "invalid-value: \"sha257\""
            ),
            ("", "no-build: -"), ("biuld {\n}\nbuild {\n sources = [\"qemu.a\"]\n}", "unsupported-block: biuld"),
            ("x = 1\nbuild {\n sources = [\"qemu.a\"]\n}", "unsupported-argument: x"),
            ("source \"qemu\" \"a\" {\n}\nbuild {\n sources = [\"qemu.a\"]\n}", "duplicate: source \"qemu\" \"a\""),
            ("source \"qemuu\" \"c\" {\n}\nbuild {\n sources = [\"qemuu.c\"]\n}", "unknown-type: \"qemuu\""),
        ])
    func errors(_ text: String, _ expected: String) {
        #expect(Loaded(two + text + "\n").errorMarks.joined(separator: ", ") == expected)
    }

    @Test("sources of other builders are skipped while one can be built")
    func otherBuilders() {
        let other = "source \"virtualbox-iso\" \"v\" {\n  anything = 1\n}\n"
        let both = Loaded(two + other + "build {\n  sources = [\"qemu.a\", \"virtualbox-iso.v\"]\n}\n")
        #expect(both.errorMarks == [])
        #expect(both.warnings.filter { $0.id == "template/skipped-source" }.count == 1)
        let alone = Loaded(two + other + "build {\n  sources = [\"virtualbox-iso.v\"]\n}\n")
        #expect(alone.errors.map(\.id) == ["template/not-built-in"])
    }

    @Test("a component that is not built in is a warning when validating")
    func validation() {
        let text =
            two
            + "build {\n  sources = [\"qemu.a\"]\n  provisioner \"ansible\" {\n    playbook_file = \"p.yml\"\n  }\n}\n"
        let loaded = Loaded(text) { $0.isValidation = true }
        #expect(loaded.errorMarks == [])
        #expect(loaded.warnings.map(\.id).contains("template/not-built-in"))
    }

    @Test("a data source that is not built in is a warning when validating, and an error where a build needs it")
    func dataSources() {
        let data = "data \"amazon-ami\" \"x\" {\n  owners = [\"self\"]\n}\n"
        let text = data + qemuTemplate("vm_name = data.amazon-ami.x.id")
        let validated = Loaded(text) { $0.isValidation = true }
        #expect(validated.errorMarks == [])
        #expect(validated.warnings.map(\.id).contains("template/not-built-in"))
        #expect(Loaded(text).errorMarks == ["data-source-not-built-in: data.amazon-ami.x.id"])
        #expect(Loaded(data + qemuTemplate("")).errorMarks == [])
    }

    @Test("the version that a template asks for is compared with Packer's")
    func requiredVersion() {
        func packer(_ version: String) -> String {
            "packer {\n  required_version = \"\(version)\"\n}\n" + qemuTemplate("")
        }
        #expect(Loaded(packer(">= 1.7.0")).errorMarks == [])
        for newer in [">= 2.0.0", "> 1.16.0", "= 1.99.0", "~> 1.99.0", ">= 2.0.0, < 1.0.0"] {
            #expect(Loaded(packer(newer)).errorMarks == ["unsupported-version: \"\(newer)\""])
        }
        // A bound from above pins a program that Ingot is not.
        for older in ["= 1.10.3", "1.10.3", "~> 1.8.0", "< 1.9.0", "<= 1.9.0", "!= 1.16.0", ">= 1.7.0, < 1.10.0"] {
            let loaded = Loaded(packer(older))
            #expect(loaded.errorMarks == [])
            #expect(loaded.warnings.map(\.id).contains("template/unsupported-version"))
        }
        #expect(Loaded(packer("newest")).errorMarks == ["invalid-version: \"newest\""])
    }

    @Test("a plugin of another name gives its components that name")
    func renamedPlugin() {
        let text = """
            packer {
              required_plugins {
                kvm = {
                  source  = "github.com/hashicorp/qemu"
                  version = ">= 1.0.0"
                }
                strange = {
                  source  = "github.com/someone/strange"
                  version = "~> 1"
                }
              }
            }
            source "kvm" "a" {
              iso_url      = "a.iso"
              iso_checksum = "none"
              communicator = "none"
            }
            source "strange-thing" "b" {
            }
            build {
              sources = ["kvm.a", "strange-thing.b"]
            }
            """
        let loaded = Loaded(text)
        #expect(loaded.errorMarks == [])
        #expect(loaded.plan.builds.map(\.sourceType) == ["qemu"])
    }

    @Test(
        "paths that hold no template are told apart",
        arguments: [
            ("gone", "no-such-file"), ("empty", "no-files"), ("old.json", "no-build"),
            ("x.hcl", "wrong-extension"),
        ])
    func paths(_ path: String, _ id: String) {
        let files = ["empty/readme": "", "old.json": "{}", "x.hcl": ""]
        let loaded = Loaded("", files: files, path: path)
        #expect(loaded.errors.map(\.id) == ["template/" + id])
    }

    @Test("a registry block is passed over with a note, wherever it stands")
    func registry() {
        let block = "  hcp_packer_registry {\n    bucket_name = \"b\"\n  }\n"
        let loaded = Loaded(two + "hcp_packer_registry {\n}\nbuild {\n  sources = [\"qemu.a\"]\n\(block)}\n")
        #expect(loaded.errorMarks == [])
        #expect(loaded.warnings.filter { $0.id == "template/registry" }.count == 2)
    }

    @Test("a value that fails its validation is one mistake, not many")
    func validationOnce() {
        let loaded = Loaded(
            """
            variable "v" {
              default = "x"
              validation {
                condition     = var.v == "y"
                error_message = "Must be y."
              }
            }
            """ + "\n" + qemuTemplate("cpus = var.v"))
        #expect(loaded.errorMarks == ["validation: \"x\""])
    }

    @Test("a syntax error hides what would only follow from it")
    func syntaxError() {
        let loaded = Loaded("locals {\n a = \n}\n" + qemuTemplate("vm_name = local.a"))
        #expect(loaded.errors.count == 1)
    }
}
