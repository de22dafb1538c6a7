import DataSources
import Foundation
import HCL
import Scopes
import Templates
import Testing

@Suite struct ProgramTests {
    @Test("external hands its query over as JSON and reads a JSON object")
    func external() async throws {
        try await withScratch { folder in
            let script =
                "read -r line; printf '{\"got\": \"%s\", \"where\": \"%s\"}' \"$(printf %s \"$line\" | tr -d '\"')\" \"$(pwd)\""
            let answer = try await sources(in: folder).run(
                .external(
                    program: ["sh", "-c", script + " 2>&1"], workingDirectory: ".", query: ["b": "2", "a": "1/x"]))
            #expect(
                answer.outputs["result"]
                    == .map(["got": .string("{a:1/x,b:2}"), "where": .string(folder)]))
        }
    }

    @Test("external-raw passes text both ways, unchanged, and need not be read")
    func raw() async throws {
        try await withScratch { folder in
            let reversed = try await sources(in: folder).run(
                .externalRaw(program: ["rev"], workingDirectory: ".", query: "hello\nyou"))
            #expect(reversed.outputs["result"] == .string("olleh\nuoy"))
            let large = String(repeating: "x", count: 1_000_000)
            let ignored = try await sources(in: folder).run(
                .externalRaw(program: ["echo", "done"], workingDirectory: "/", query: large))
            #expect(ignored.outputs["result"] == .string("done\n"))
            let copied = try await sources(in: folder).run(
                .externalRaw(program: ["cat"], workingDirectory: ".", query: large))
            #expect(copied.outputs["result"] == .string(large))
        }
    }

    @Test(
        "a program that fails is told with its exit code and its words; so are one that is missing and one that writes something else"
    )
    func failures() async throws {
        try await withScratch { folder in
            let sources = sources(in: folder)
            func run(_ program: String...) async -> String {
                await failure { try await sources.run(.external(program: program, workingDirectory: ".", query: [:])) }
            }
            #expect(
                await run("sh", "-c", "echo no such region >&2; exit 7")
                    == "could not run sh: it ended with exit code 7 and said:\nno such region")
            #expect(await run("sh", "-c", "kill -9 $$").contains("signal 9"))
            #expect(await run("no-such-program-here").contains("it is not in PATH"))
            let elsewhere = await failure {
                try await sources.run(.externalRaw(program: ["cat"], workingDirectory: "missing", query: ""))
            }
            #expect(elsewhere.hasSuffix("/missing, cannot be found: No such file or directory"))
            #expect(await run("echo", "[1]").contains("not a JSON object of texts: “[1]”"))
            #expect(await run("true").contains("nothing was written"))
            #expect(await run("printf", "{\"a\": 1}").contains("not a JSON object of texts"))
            let binary = await failure {
                try await sources.run(.externalRaw(program: ["printf", "\\377"], workingDirectory: ".", query: ""))
            }
            #expect(binary.contains("not UTF-8"))
        }
    }

    @Test("a program that never ends, or never stops writing, is ended")
    func bounds() async throws {
        try await withScratch { folder in
            let quick = sources(in: folder, limits: .init(program: .milliseconds(200), size: 1 << 20))
            let slow = await failure {
                try await quick.run(.externalRaw(program: ["sleep", "600"], workingDirectory: ".", query: ""))
            }
            #expect(slow.contains("still running after 200 ms"))
            let patient = sources(in: folder, limits: .init(size: 1 << 20))
            let endless = await failure {
                try await patient.run(.externalRaw(program: ["yes"], workingDirectory: ".", query: ""))
            }
            #expect(endless.contains("it wrote more than 1 MiB"))
        }
    }

    @Test("cancellation ends the program")
    func cancellation() async throws {
        try await withScratch { folder in
            let sources = sources(in: folder)
            let task = Task {
                try await sources.run(
                    .externalRaw(
                        program: ["sh", "-c", "echo $$ > pid; exec sleep 600"], workingDirectory: ".", query: ""))
            }
            var pid = ""
            while pid.isEmpty {
                try await Task.sleep(for: .milliseconds(20))
                // It is not there until the program writes it.
                pid = (try? String(contentsOfFile: folder + "/pid", encoding: .utf8)) ?? ""
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let number = pid.split(separator: "\n").first.map(String.init) ?? ""
            #expect(!number.isEmpty && !FileManager.default.fileExists(atPath: "/proc/\(number)"))
        }
    }
}
