import DataSources
import Foundation
import HCL
import Processes
import Templates
import Testing

/// A repository of two commits: the first tagged v1 and on the branch old, the second on main.
private func withRepository(_ body: (String, LocalDataSources) async throws -> Void) async throws {
    try await withScratch { folder in
        let script = """
            git init -q -b main . && mkdir sub && echo 1 > a && echo 2 > 'sub/b c' && git add . && git commit -q -m 'First one

            With more to say.'
            git tag v1 && git branch old && echo 3 > ü && git add . && git commit -q -m second
            """
        let ended = try await captureProcess(
            "sh", ["-ec", script], environment: someEnvironment, workingDirectory: folder, deadline: .seconds(60))
        #expect(ended.exit.isSuccess, "\(ended.errors)")
        try await body(folder, sources(in: folder))
    }
}

private func git(_ folder: String, _ arguments: String...) async throws -> String {
    let ended = try await captureProcess(
        "git", ["-C", folder] + arguments, environment: someEnvironment, deadline: .seconds(60))
    return String(decoding: ended.output, as: UTF8.self).split(separator: "\n").joined(separator: "\n")
}

@Suite struct GitTests {
    @Test("a commit is told in all its parts, from a folder inside the repository, too")
    func commit() async throws {
        try await withRepository { folder, sources in
            let outputs = try await sources.run(.gitCommit(path: "sub", revision: "v1")).outputs
            #expect(outputs["hash"] == .string(try await git(folder, "rev-parse", "v1")))
            #expect(outputs["tree_hash"] == .string(try await git(folder, "rev-parse", "v1^{tree}")))
            #expect(outputs["branches"] == .list([.string("old")]))
            #expect(outputs["author"] == .string("Ada <ada@example.com>"))
            #expect(outputs["committer"] == .string("Grace <grace@example.com>"))
            #expect(outputs["timestamp"] == .string("2023-11-14T23:43:20+01:30"))
            #expect(outputs["message"] == .string("First one\n\nWith more to say.\n"))
            #expect(outputs["pgp_signature"] == .string(""))
            #expect(outputs["parent_hashes"] == .list([]))
            let head = try await sources.run(.gitCommit(path: ".", revision: "HEAD")).outputs
            #expect(head["parent_hashes"] == .list([outputs["hash"] ?? .null]))
            #expect(head["branches"] == .list([.string("main")]))
        }
    }

    @Test("a repository tells its head, branches and tags, and whether something is not committed")
    func repository() async throws {
        try await withRepository { folder, sources in
            let clean = try await sources.run(.gitRepository(path: ".")).outputs
            #expect(
                clean == [
                    "head": .string("main"), "branches": .list([.string("main"), .string("old")]),
                    "tags": .list([.string("v1")]), "is_clean": .bool(true),
                ])
            try "x".write(toFile: folder + "/new", atomically: true, encoding: .utf8)
            #expect(try await sources.run(.gitRepository(path: ".")).outputs["is_clean"] == .bool(false))
            _ = try await git(folder, "checkout", "-q", "v1")
            #expect(try await sources.run(.gitRepository(path: ".")).outputs["head"] == .string("HEAD"))
        }
    }

    @Test("a tree lists its files, however they are called")
    func tree() async throws {
        try await withRepository { _, sources in
            let now = try await sources.run(.gitTree(path: "sub", revision: "HEAD")).outputs["files"]
            #expect(now == .list([.string("a"), .string("sub/b c"), .string("ü")]))
            let then = try await sources.run(.gitTree(path: ".", revision: "HEAD~1")).outputs["files"]
            #expect(then == .list([.string("a"), .string("sub/b c")]))
        }
    }

    @Test("what is missing is told: the commit, the repository, the folder, git itself")
    func failures() async throws {
        try await withRepository { folder, sources in
            func commit(_ revision: String, _ path: String = ".") async -> String {
                await failure { try await sources.run(.gitCommit(path: path, revision: revision)) }
            }
            #expect(await commit("v9").contains("there is no such commit"))
            #expect(await commit("--all").contains("begins with a dash"))
            #expect(await commit("HEAD", "nowhere").contains("there is no folder \(folder)/nowhere"))
            let without = LocalDataSources(
                environment: ["PATH": folder], workingDirectory: folder, cacheDirectory: folder)
            #expect(await failure { try await without.run(.gitRepository(path: ".")) }.contains("git is not installed"))
        }
        try await withScratch { folder in
            let message = await failure { try await sources(in: folder).run(.gitTree(path: ".", revision: "HEAD")) }
            #expect(message.contains("is a git repository") && message.contains(folder))
            _ = try await git(folder, "init", "-q")
            let empty = await failure { try await sources(in: folder).run(.gitRepository(path: ".")) }
            #expect(empty.contains("the repository has no commit yet"))
        }
    }
}
