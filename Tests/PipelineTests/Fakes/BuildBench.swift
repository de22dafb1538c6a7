import ComponentModel
import Diagnostics
import Foundation
import Guests
import GuestsTestSupport
import Machines
import Scopes
import Synchronization
import Templates
import Testing

@testable import Pipeline

/// A folder with a template, and what its builds need: machines and guests are fakes, everything else is real.
final class BuildBench: Sendable {
    let path: String
    let host = FakeHost()
    let sink = EventList()

    init() throws {
        path = NSTemporaryDirectory() + "ingot-build-" + UUID().uuidString.prefix(8).lowercased()
        try FileManager.default.createDirectory(atPath: path + "/run", withIntermediateDirectories: true)
        try Data("medium".utf8).write(to: URL(filePath: path + "/install.iso"))
        try Data().write(to: URL(filePath: path + "/qemu-system-x86_64"))
        chmod(path + "/qemu-system-x86_64", 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The build of a template.
    ///
    /// - Parameters:
    ///   - source: Further options of the source.
    ///   - build: The build's provisioners and post-processors.
    func plan(source: String = "", output: String = "out", _ build: String) throws -> PlannedBuild {
        let template = """
            variable "secret" {
              default   = "swordfish"
              sensitive = true
            }
            source "qemu" "vm" {
              iso_url           = "install.iso"
              iso_checksum      = "none"
              qemu_binary       = "\(path)/qemu-system-x86_64"
              disk_size         = "1M"
              boot_wait         = "-1s"
              boot_key_interval = "1ms"
              output_directory  = "\(output)"
            \(source)
            }
            build {
              sources = ["source.qemu.vm"]
            \(build)
            }
            """
        try template.write(toFile: path + "/t.pkr.hcl", atomically: true, encoding: .utf8)
        let loaded = loadPlan(LoadOptions(path: "t.pkr.hcl", workingDirectory: path, force: true))
        #expect(loaded.plan.diagnostics.filter { $0.severity == .error }.map(\.summary) == [])
        return try #require(loaded.plan.value.builds.first)
    }

    static let ssh = """
          ssh_username            = "root"
          ssh_password            = "pw"
          temporary_key_pair_type = "ed25519"
        """

    /// Builds once, with an engine of its own.
    func build(
        _ plan: PlannedBuild, _ connector: FakeConnector = FakeConnector(), _ sink: EventList? = nil,
        onError: OnError = .cleanup, checkpoints: Bool = false, until: String? = nil, force: Bool = true,
        ask: Attendant.Ask? = nil
    ) async throws -> [Artifact] {
        let engine = Engine(connectURI: nil, environment: [:], host: host)
        var options = CheckpointOptions(
            offBecause: checkpoints ? nil : "off", until: until, store: path + "/store")
        options.maxAge = nil
        var scope = BuildScope(
            plan: plan, context: context(force: force),
            options: BuildOptions(onError: onError, connectURI: nil, checkpoints: options), engine: engine,
            reporter: Reporter(build: plan.name, sinks: [sink ?? self.sink], secrets: [Sensitive("swordfish")]),
            attendant: Attendant(onError: onError, pausesBetweenSteps: false, ask: ask), runFolder: path + "/run",
            secrets: [Sensitive("swordfish")])
        scope.connector = connector
        let result: Result<[Artifact], any Error>
        do { result = .success(try await Build(scope).run()) } catch { result = .failure(error) }
        await engine.close()
        return try result.get()
    }

    func context(force: Bool) -> RunContext {
        RunContext(
            workingDirectory: path, templateDirectory: path, templatePath: path + "/t.pkr.hcl", runUUID: "run",
            startTime: Date(), force: force,
            environment: ["PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": path + "/cache", "TMPDIR": path])
    }

    /// Names in the working directory that a build has left, its output aside.
    var leftovers: [String] {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: path)
            return names.filter { $0.hasPrefix(".out.ingot-") || $0.hasPrefix("ingot-") }
        }
    }

    var hasImage: Bool { FileManager.default.fileExists(atPath: path + "/out/packer-vm") }
}

/// Gives each machine the next guest of a list, and the last one again and again.
final class FakeConnector: GuestConnector {
    enum Outcome: Sendable {
        case guest(FakeGuest)
        case failure(any Error)
        /// Never answers.
        case silence
        /// Answers once a condition is met.
        case after(@Sendable () async -> Void, FakeGuest)
    }
    private let outcomes: Mutex<[Outcome]>

    init(_ outcomes: Outcome...) { self.outcomes = Mutex(outcomes.isEmpty ? [.guest(FakeGuest())] : outcomes) }

    convenience init(_ guest: FakeGuest) { self.init(.guest(guest)) }

    func connect(
        _ settings: SSHSettings, to machine: RunningMachine, _ services: Services, _ keys: BuildKeys?,
        _ scope: BuildScope
    ) async throws -> any Guest {
        let outcome = outcomes.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        switch outcome {
        case .guest(let guest): return guest
        case .failure(let error): throw BuildError(operation: "connect to the guest over SSH", underlying: error)
        case .after(let condition, let guest):
            await condition()
            return guest
        case .silence:
            try await Task.sleep(for: .seconds(3600))
            throw CancellationError()
        }
    }
}

/// Collects events.
final class EventList: EventSink {
    private struct State {
        var events: [Event] = []
        var waiters: [(text: String, continuation: CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())

    func receive(_ event: Event) {
        let met = state.withLock { state in
            state.events.append(event)
            let met = state.waiters.filter { event.text.contains($0.text) }
            state.waiters.removeAll { event.text.contains($0.text) }
            return met
        }
        for waiter in met { waiter.continuation.resume() }
    }

    var events: [Event] { state.withLock(\.events) }
    var text: String { events.map(\.text).joined(separator: "\n") }
    /// The titles of the steps that were begun.
    var steps: [String] { events.filter { $0.kind == .stepStarted }.map(\.text) }

    /// Returns once an event contains a text.
    func received(_ text: String) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.events.contains(where: { $0.text.contains(text) }) { return true }
                state.waiters.append((text, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}
