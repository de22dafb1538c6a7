import DataSources
import Foundation
import Glibc
import HCL
import Processes
import Templates
import Testing

private func mode(of path: String) -> UInt32 {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
}

@Suite struct FileTests {
    @Test("a file is written, left alone when it is there, and replaced by force")
    func file() async throws {
        try await withScratch { folder in
            let sources = sources(in: folder)
            func write(_ text: String, force: Bool = false) async throws -> DataSourceAnswer {
                try await sources.run(.file(destination: "a.txt", contents: text, force: force))
            }
            func text() throws -> String { try String(contentsOfFile: folder + "/a.txt", encoding: .utf8) }
            #expect(try await write("one").outputs == ["path": .string("a.txt")])
            let refusal = await failure { try await write("two") }
            #expect(refusal == "could not write a.txt: it is there already\n  force = true replaces it.")
            #expect(try text() == "one")
            _ = try await write("three", force: true)
            #expect(try text() == "three")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.txt"])
            let lost = await failure {
                try await sources.run(.file(destination: "no/such/b.txt", contents: "", force: false))
            }
            #expect(lost.contains("No such file or directory"))
            let taken = await failure {
                try await sources.run(.file(destination: folder, contents: "", force: true))
            }
            #expect(taken.contains("Is a directory"))
        }
    }

    @Test("a key is made once, is only its owner's to read, and is a key to ssh-keygen", arguments: ["ed25519", "rsa"])
    func key(type: String) async throws {
        try await withScratch { folder in
            let sources = sources(in: folder)
            let first = try await sources.run(.sshKey(name: "a/b", type: type))
            let path = folder + "/cache/ssh_private_key_a_b_\(type).pem"
            #expect(first.outputs["private_key_path"] == .string(path))
            #expect(mode(of: path) == 0o600)
            let again = try await sources.run(.sshKey(name: "a/b", type: type))
            #expect(again == first)
            let told = try await captureProcess("ssh-keygen", ["-y", "-f", path], deadline: .seconds(60))
            let line = String(decoding: told.output, as: UTF8.self).split(separator: " ").prefix(2)
            let words = (first.outputs["public_key"]?.stringValue ?? "").split(separator: " ")
            #expect(
                told.exit.isSuccess && words.count == 3
                    && words.prefix(2).elementsEqual(line.map { $0.filter { !$0.isNewline }[...] }))
            #expect(words.last == "a_b")
        }
    }

    @Test("a file in a key's place that is not a key is told, and left")
    func noKey() async throws {
        try await withScratch { folder in
            try FileManager.default.createDirectory(atPath: folder + "/cache", withIntermediateDirectories: true)
            try "rubbish".write(
                toFile: folder + "/cache/ssh_private_key_packer_rsa.pem", atomically: true, encoding: .utf8)
            let message = await failure { try await sources(in: folder).run(.sshKey(name: "packer", type: "rsa")) }
            #expect(message.contains("it holds no private key") && message.contains("Remove the file"))
        }
    }
}
