import Diagnostics
import HCL
import Scopes
import Synchronization
import Templates
import Testing

@testable import ComponentModel

/// Answers as a test tells it to, and keeps what it was asked.
private final class Answers: DataSourceRunner {
    private let asked = Mutex<[DataSourceRequest]>([])
    private let answer: @Sendable (DataSourceRequest) async throws -> DataSourceAnswer

    init(_ answer: @escaping @Sendable (DataSourceRequest) async throws -> DataSourceAnswer) { self.answer = answer }

    var requests: [DataSourceRequest] { asked.withLock { $0 } }

    func run(_ request: DataSourceRequest) async throws -> DataSourceAnswer {
        asked.withLock { $0.append(request) }
        return try await answer(request)
    }

    /// The query of an `external-raw`, with the name of its program in front.
    static func echo() -> Answers {
        Answers { request in
            guard case .externalRaw(let program, _, let query) = request else { throw Reason(text: "unexpected") }
            return DataSourceAnswer(["result": .string("\(program.first ?? "")(\(query))")])
        }
    }

    /// The queries, in the order of running.
    var queries: [String] {
        requests.map { if case .externalRaw(_, _, let query) = $0 { query } else { "?" } }
    }
}

private func options(_ text: String, isValidation: Bool = false) -> LoadOptions {
    LoadOptions(
        path: "t.pkr.hcl", workingDirectory: "/work", isValidation: isValidation,
        fileSystem: MemoryFiles(files: ["/work/t.pkr.hcl": text]))
}

/// `external-raw` blocks that wrap their query in the name of their block.
private func raw(_ name: String, _ query: String) -> String {
    "data \"external-raw\" \"\(name)\" {\n  program = [\"\(name)\"]\n  query = \(query)\n}\n"
}

@Suite struct DataSourceTests {
    @Test("data sources and locals are evaluated in the order in which they need each other, each once")
    func order() async throws {
        let text =
            raw("c", "\"${local.b} c\"")
            + "locals {\n  b = \"${data.external-raw.a.result} ${local.z}\"\n  z = \"z\"\n}\n"
            + "variable \"v\" {\n  default = \"v\"\n}\n" + raw("a", "var.v")
        let runner = Answers.echo()
        let loaded = Loaded(
            try await loadPlan(
                options(text + qemuTemplate("vm_name = data.external-raw.c.result")), running: runner))
        #expect(loaded.errorMarks == [])
        #expect(loaded.plan.builds.first?.source.vmName == "c(a(v) z c)")
        #expect(runner.queries == ["v", "a(v) z c"])
    }

    @Test("a data source that nothing needs is run, too, and references to all of a type see all of it")
    func everything() async throws {
        let text =
            "locals {\n  all = join(\",\", values(data.external-raw)[*].result)\n}\n" + raw("a", "\"1\"")
            + raw("b", "\"2\"")
        let runner = Answers.echo()
        let loaded = Loaded(try await loadPlan(options(text + qemuTemplate("vm_name = local.all")), running: runner))
        #expect(loaded.errorMarks == [])
        #expect(loaded.plan.builds.first?.source.vmName == "a(1),b(2)")
        #expect(runner.queries == ["1", "2"])
    }

    @Test("a circle through locals and data sources is told as a path")
    func cycle() async throws {
        let text = "locals {\n  a = data.external-raw.b.result\n}\n" + raw("b", "local.a")
        let runner = Answers.echo()
        let loaded = Loaded(try await loadPlan(options(text + qemuTemplate("")), running: runner))
        #expect(loaded.errors.map(\.id) == ["template/cycle"])
        #expect(loaded.errors.map(\.summary) == ["Locals and data sources need each other in a circle"])
        #expect(loaded.errors.map(\.detail) == ["local.a → data.external-raw.b → local.a"])
        #expect(runner.requests.isEmpty)
        let alone = Loaded(
            try await loadPlan(options(raw("a", "data.external-raw.a.result") + qemuTemplate("")), running: runner))
        #expect(alone.errors.map(\.detail) == ["data.external-raw.a → data.external-raw.a"])
    }

    @Test("without being run, values are unknown, options are checked all the same, and so are the names of outputs")
    func validation() {
        let text = raw("a", "\"1\"") + qemuTemplate("vm_name = data.external-raw.a.result")
        let loaded = Loaded(text) { $0.isValidation = true }
        #expect(loaded.errorMarks == [] && loaded.plan.builds.count == 1)
        #expect(
            Loaded("data \"http\" \"x\" {\n}\n" + qemuTemplate("")).errorMarks == [
                "missing-option: data \"http\" \"x\""
            ])
        let typo = qemuTemplate("vm_name = data.external-raw.a.results")
        #expect(Loaded(raw("a", "\"1\"") + typo).errors.map(\.id) == ["hcl/unsupported-attribute"])
    }

    @Test(
        "options that are wrong are told at their place",
        arguments: [
            ("http", "url = \"ftp://x\"", "invalid-value: \"ftp://x\""),
            ("http", "url = \"http://x\"\n  method = \"get\"", "invalid-value: \"get\""),
            ("http", "url = \"http://x\"\n  headers = {}", "unsupported-argument: headers"),
            ("external", "program = []", "missing-option: data \"external\" \"x\""),
            ("external", "program = \"jq\"", "wrong-type: \"jq\""),
            ("sshkey", "type = \"dsa\"", "invalid-value: \"dsa\""),
            ("file", "contents = \"x\"", "missing-option: data \"file\" \"x\""),
            ("git-commit", "path = [\"x\"]", "wrong-type: [\"x\"]"),
            ("htpp", "", "unknown-type: \"htpp\""),
        ])
    func wrongOptions(type: String, body: String, expected: String) async throws {
        let runner = Answers.echo()
        let text = "data \"\(type)\" \"x\" {\n  \(body)\n}\n" + qemuTemplate("")
        let loaded = Loaded(try await loadPlan(options(text), running: runner))
        #expect(loaded.errorMarks == [expected])
        #expect(runner.requests.isEmpty)
    }

    @Test("every option reaches the request, and its defaults are Packer's")
    func requests() async throws {
        let text = """
            data "http" "a" {
              url = "http://h/"
              method = "POST"
              request_headers = { A = "b" }
              request_body = "c"
            }
            data "http" "b" {
              url = "HTTPS://h/"
            }
            data "external" "c" {
              program = ["p", "1"]
              working_dir = "d"
              query = { k = 1 }
            }
            data "external-raw" "d" {
              program = ["p"]
            }
            data "git-commit" "e" {
              path = "r"
              commit_ish = "v1"
            }
            data "git-commit" "f" {}
            data "git-repository" "g" {}
            data "git-tree" "h" {}
            data "sshkey" "i" {}
            data "sshkey" "j" {
              name = "n"
              type = "ed25519"
            }
            data "file" "k" {
              destination = "f"
              contents = "text"
              force = true
            }
            data "null" "l" {
              input = "in"
            }
            """
        let runner = Answers { _ in DataSourceAnswer([:]) }
        let loaded = Loaded(
            try await loadPlan(options(text + "\n" + qemuTemplate("vm_name = data.null.l.output")), running: runner))
        #expect(loaded.errorMarks == [])
        #expect(loaded.plan.builds.first?.source.vmName == "in")
        #expect(
            runner.requests == [
                .http(url: "http://h/", method: "POST", headers: ["A": "b"], body: "c"),
                .http(url: "HTTPS://h/", method: "GET", headers: [:], body: ""),
                .external(program: ["p", "1"], workingDirectory: "d", query: ["k": "1"]),
                .externalRaw(program: ["p"], workingDirectory: ".", query: ""),
                .gitCommit(path: "r", revision: "v1"), .gitCommit(path: ".", revision: "HEAD"),
                .gitRepository(path: "."), .gitTree(path: ".", revision: "HEAD"),
                .sshKey(name: "packer", type: "rsa"), .sshKey(name: "n", type: "ed25519"),
                .file(destination: "f", contents: "text", force: true),
            ])
    }

    @Test("a failure is told at the block, with what was attempted and what to do, and nothing is run after it")
    func failure() async throws {
        let runner = Answers { _ in throw BuildError("run a", because: "it ended with exit code 3", hint: "Ask it why.")
        }
        let text = raw("a", "\"1\"") + raw("b", "\"2\"") + qemuTemplate("vm_name = data.external-raw.a.result")
        let loaded = Loaded(try await loadPlan(options(text), running: runner))
        #expect(loaded.errorMarks == ["data-source: data \"external-raw\" \"a\""])
        #expect(loaded.errors.map(\.summary) == ["data.external-raw.a: could not run a"])
        #expect(loaded.errors.map(\.detail) == ["It ended with exit code 3.\nAsk it why."])
        #expect(runner.queries == ["1"])
        let wordy = Answers { _ in throw BuildError("run a", because: "it ended and said:\nno, thank you") }
        let second = Loaded(try await loadPlan(options(text), running: wordy))
        #expect(second.errors.map(\.detail) == ["It ended and said:\nno, thank you"])
    }

    @Test("nothing is run for a template that is wrong before")
    func wrongBefore() async throws {
        let runner = Answers.echo()
        let text = "variable \"v\" {\n  type = string\n}\n" + raw("a", "\"1\"") + qemuTemplate("")
        let loaded = Loaded(try await loadPlan(options(text), running: runner))
        #expect(loaded.errors.map(\.id) == ["template/unset-variable"])
        let local = "locals {\n  x = 1 + \"x\"\n}\n" + raw("a", "\"1\"") + qemuTemplate("")
        #expect(Loaded(try await loadPlan(options(local), running: runner)).errors.count == 1)
        #expect(runner.requests.isEmpty)
    }

    @Test("what is made of a secret is secret, too")
    func secrets() async throws {
        let text =
            "variable \"password\" {\n  default = \"hunter2\"\n  sensitive = true\n}\n"
            + "locals {\n  greeting = \"hello ${var.password}\"\n}\n" + raw("a", "local.greeting")
            + raw("b", "\"plain\"")
        let template =
            text + qemuTemplate("vm_name = data.external-raw.b.result\nssh_password = data.external-raw.a.result")
        let loaded = Loaded(try await loadPlan(options(template), running: Answers.echo()))
        #expect(loaded.errorMarks == [])
        #expect(loaded.plan.builds.first?.source.vmName == "b(plain)")
        let secrets = loaded.plan.secrets.map { $0.reveal() }
        #expect(secrets.contains("a(hello hunter2)") && secrets.contains("hunter2"))
        #expect(!secrets.contains("b(plain)"))
        let report = try await inspectTemplate(
            options(text + "locals {\n  out = data.external-raw.a.result\n}\n" + qemuTemplate("")),
            running: Answers { _ in DataSourceAnswer(["result": .string("derived")]) })
        #expect(report.text.contains("local.out: \"<sensitive>\""))
        #expect(!report.text.contains("derived"))
    }

    @Test("inspect and the console show what data sources gave; a failure leaves the rest")
    func inspection() async throws {
        let text =
            raw("a", "\"1\"") + raw("b", "\"2\"")
            + "locals {\n  x = data.external-raw.a.result\n  y = data.external-raw.b.result\n}\n" + qemuTemplate("")
        let runner = Answers { request in
            guard case .externalRaw(["b"], _, _) = request else { throw Reason(text: "no") }
            return DataSourceAnswer(["result": .string("two")])
        }
        let report = try await inspectTemplate(options(text), running: runner)
        #expect(report.text.contains("local.y: \"two\"") && report.text.contains("local.x: \"<unknown>\""))
        #expect(report.diagnostics.map(\.severity) == [.warning])
        let session = try await ConsoleSession.start(options(text), usesTemplate: true, running: Answers.echo())
        guard case .text(let answer) = session.answer(to: "local.y") else {
            Issue.record("no answer")
            return
        }
        #expect(answer == "b(2)\n")
    }

    @Test("a data source of a plugin that the template calls by another name is the same")
    func renamed() async throws {
        let text = """
            packer {
              required_plugins {
                repo = {
                  source = "github.com/ethanmdavidson/git"
                  version = ">= 0.6.0"
                }
              }
            }
            data "repo-repository" "r" {}

            """
        let runner = Answers { _ in DataSourceAnswer(["head": .string("main")]) }
        let template = text + qemuTemplate("vm_name = data.repo-repository.r.head")
        let loaded = Loaded(try await loadPlan(options(template), running: runner))
        #expect(loaded.errorMarks == [] && loaded.plan.builds.first?.source.vmName == "main")
        #expect(runner.requests == [.gitRepository(path: ".")])
    }

    @Test("warnings of a data source stand at its block")
    func warnings() async throws {
        let runner = Answers { _ in DataSourceAnswer(["result": .string("x")], warnings: ["it is odd"]) }
        let loaded = Loaded(try await loadPlan(options(raw("a", "\"1\"") + qemuTemplate("")), running: runner))
        #expect(loaded.warnings.map(\.summary).contains("data.external-raw.a: it is odd"))
    }

    @Test("a cancelled load ends as such")
    func cancellation() async {
        let runner = Answers { _ in
            try await Task.sleep(for: .seconds(600))
            return DataSourceAnswer([:])
        }
        let task = Task { try await loadPlan(options(raw("a", "\"1\"") + qemuTemplate("")), running: runner) }
        while runner.requests.isEmpty { await Task.yield() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
