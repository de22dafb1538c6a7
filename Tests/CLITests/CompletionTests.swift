import CLI
import Foundation
import Testing

@Suite("Completion of command lines")
struct CompletionTests {
    private let complete: CompleteWord

    init() throws {
        let folders = [
            ".": ["a.pkr.hcl", "b.json", "c.txt", "d.pkrvars.hcl", "folder/", ".hidden.json"],
            "folder/": ["e.pkr.json"],
        ]
        complete = CompleteWord(
            try #require(CommandTree.ingot()), listFolder: { folders[$0] ?? [] },
            .init(
                builds: { template in
                    guard template.path == "t.pkr.hcl" else { return ["other"] }
                    return ["b.qemu.x", "b.qemu.y"] + template.variables + template.files
                },
                variables: {
                    $0.path == "t.pkr.hcl" ? [.init("name", "Of the image"), .init("network"), .init("user")] : []
                },
                stages: { template in
                    guard template.path == "t.pkr.hcl", template.only != ["none"] else { return [] }
                    return [.init("install"), .init("1", "provisioner 1: app (shell)"), .init("app", "the same")]
                },
                checkpoints: { [.init("12ab34cd", "install"), .init("12ffffff"), .init("9")] }))
    }

    private func words(_ words: String..., joins: Bool = false) -> [String] {
        let request = CompletionRequest(words: ["ingot"] + words, cursor: words.count, joins: joins)
        return complete.answer(to: request).candidates.map(\.text)
    }

    @Test("commands, also below others and after help")
    func commands() {
        #expect(words("bu") == ["build"])
        #expect(words("plugins", "") == ["required", "installed", "install"])
        #expect(words("help", "va") == ["validate"])
        #expect(words("completion", "") == ["bash", "zsh", "fish"])
        #expect(!words("").contains("__complete"))
    }

    @Test("flags with as many dashes as were typed, and no flag twice that counts once")
    func flags() {
        #expect(words("build", "-var") == ["-var=", "-var-file="])
        #expect(words("build", "--var") == ["--var=", "--var-file="])
        #expect(words("build", "-forc") == ["-force"])
        #expect(words("build", "-force", "-forc") == [])
        #expect(words("build", "-var=a=b", "-var-") == ["-var-file="])
        #expect(!words("build", "-").contains("-use-sequential-evaluation"))
        #expect(words("build", "--", "-") == [])
    }

    @Test("values of options, after an equals sign or a space")
    func values() {
        #expect(words("build", "-on-error=a") == ["-on-error=abort", "-on-error=ask"])
        #expect(words("build", "--on-error", "a") == ["abort", "ask"])
        #expect(words("build", "-color=") == ["-color=true", "-color=false"])
        #expect(words("build", "-zork=") == [])
    }

    @Test("files of the right kind, and folders")
    func files() {
        #expect(words("build", "") == ["a.pkr.hcl", "b.json", "folder/"])
        #expect(words("build", "folder/") == ["folder/e.pkr.json"])
        #expect(words("build", ".") == [".hidden.json"])
        #expect(words("build", "-var-file=d") == ["-var-file=d.pkrvars.hcl"])
        #expect(words("build", "a.pkr.hcl", "") == [])
        #expect(words("fmt", "a.pkr.hcl", "") == ["a.pkr.hcl", "d.pkrvars.hcl", "folder/"])
    }

    @Test("names of builds, from the template that is on the line, one after the other")
    func builds() {
        let request = CompletionRequest(
            words: ["ingot", "build", "-only=", "-var", "v=1", "-var-file=f", "t.pkr.hcl"], cursor: 2)
        #expect(
            complete.answer(to: request).candidates.map(\.text)
                == ["-only=b.qemu.x", "-only=b.qemu.y", "-only=v=1", "-only=f"])
        #expect(words("build", "t.pkr.hcl", "-except=b.qemu.x,") == ["-except=b.qemu.x,b.qemu.y"])
        #expect(words("validate", "-only", "o") == ["other"])
    }

    @Test("names of the variables that the template on the line declares, and no values")
    func variables() {
        func before(_ template: String, _ words: String...) -> [String] {
            let request = CompletionRequest(words: ["ingot", "build"] + words + [template], cursor: 1 + words.count)
            return complete.answer(to: request).candidates.map(\.text)
        }
        #expect(before("t.pkr.hcl", "-var=n") == ["-var=name=", "-var=network="])
        #expect(before("t.pkr.hcl", "-var", "u") == ["user="])
        #expect(before("t.pkr.hcl", "-var", "user=u") == [])
        #expect(before("other.json", "-var", "u") == [])
        let cut = CompletionRequest(
            words: ["ingot", "build", "-var", "=", "na", "t.pkr.hcl"], cursor: 4, joins: true)
        #expect(complete.answer(to: cut).text(without: cut.kept) == "words\nname=\tOf the image\n")
    }

    @Test("the stages of the template on the line, after it or before it")
    func stages() {
        #expect(words("shell", "t.pkr.hcl", "") == ["install", "1", "app"])
        #expect(words("shell", "t.pkr.hcl", "i") == ["install"])
        #expect(words("shell", "-only", "none", "t.pkr.hcl", "") == [])
        #expect(words("build", "t.pkr.hcl", "--until", "a") == ["app"])
        let before = CompletionRequest(words: ["ingot", "build", "--fresh-from=", "t.pkr.hcl"], cursor: 2)
        #expect(complete.answer(to: before).text(without: "").hasPrefix("words\n--fresh-from=install\n"))
    }

    @Test("the ids of checkpoints, and none twice")
    func checkpoints() {
        #expect(words("checkpoints", "show", "12") == ["12ab34cd", "12ffffff"])
        #expect(words("checkpoints", "remove", "12ab34cd", "") == ["12ffffff", "9"])
        #expect(words("checkpoints", "remove", "12a") == ["12ab34cd"])
    }

    @Test("what bash cuts at equals signs and colons is put together, and only the last piece is answered")
    func bash() {
        func answer(_ words: [String], _ cursor: Int) -> String {
            let request = CompletionRequest(words: ["ingot"] + words, cursor: cursor, joins: true)
            return complete.answer(to: request).text(without: request.kept)
        }
        #expect(answer(["build", "-on-error", "=", "ab"], 4) == "words\nabort\n")
        #expect(answer(["build", "-on-error", "="], 3) == "words\ncleanup\nabort\nask\nrun-cleanup-provisioner\n")
        #expect(answer(["build", "-connect", "=", "qemu", ":", "///se"], 6) == "words\n///session\n")
        #expect(answer(["build", "-var", "a", "=", "b", "fol"], 6) == "files\nfolder/\n")
        #expect(answer(["build", "'fol"], 2) == "files\nfolder/\n")
    }

    @Test("a file's name that would look like two candidates is left out")
    func names() {
        let answer = CompletionAnswer(areFiles: true, candidates: [.init("a\nb"), .init("c\td\te"), .init("f", "why")])
        #expect(answer.text(without: "") == "files\nf\twhy\n")
    }

    @Test("a position beyond the line is the end of the line")
    func position() {
        #expect(CompletionRequest(words: [], cursor: 7).preceding == [])
        #expect(CompletionRequest(words: ["ingot", "build"], cursor: -1).word == "build")
        #expect(CompletionRequest(words: ["ingot", "build"], cursor: 9).preceding == ["build"])
    }
}

@Suite("Completion in the user's shell files")
struct ShellFilesTests {
    @Test("a line is added once, kept apart from what is there, and taken away again")
    func installing() throws {
        let home = URL(filePath: NSTemporaryDirectory()).appending(path: "ingot-home-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: home) }
        let files = ShellFiles(home: home)
        #expect(try files.install().count == 1)
        let real = home.appending(path: "dotfile")
        let bash = home.appending(path: ".bashrc")
        try "alias x=y".write(to: real, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: real.path)
        try FileManager.default.createSymbolicLink(at: bash, withDestinationURL: real)
        try FileManager.default.createDirectory(
            at: home.appending(path: ".config/fish"), withIntermediateDirectories: true)

        #expect(try files.install().contains { $0.contains(".bashrc") })
        let text = try String(contentsOf: bash, encoding: .utf8)
        #expect(text.hasPrefix("alias x=y\ncommand -v ingot") && text.contains("ingot completion bash"))
        #expect(try files.install().contains { $0.contains("already") })
        #expect(try String(contentsOf: bash, encoding: .utf8) == text)
        let fish = home.appending(path: ".config/fish/completions/ingot.fish")
        #expect(try String(contentsOf: fish, encoding: .utf8) == Shell.fish.script)
        #expect(!FileManager.default.fileExists(atPath: home.path + "/.zshrc"))

        _ = try files.uninstall()
        #expect(try String(contentsOf: bash, encoding: .utf8) == "alias x=y\n")
        #expect(!FileManager.default.fileExists(atPath: fish.path))
        let attributes = try FileManager.default.attributesOfItem(atPath: real.path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(
            try FileManager.default.attributesOfItem(atPath: bash.path)[.type] as? FileAttributeType
                == .typeSymbolicLink)
        #expect(try files.uninstall() == ["There was nothing to remove."])
    }
}
