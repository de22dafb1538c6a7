import ComponentModel
import Diagnostics
import Foundation
import Pipeline
import Proxmox
import Scopes
import Synchronization
import Templates
import Testing

/// What a build has said.
final class EventLog: EventSink {
    private let events = Mutex<[Event]>([])
    /// Whether whoever tells the first event is cancelled, as by Ctrl-C.
    let cancels = Mutex(false)
    func receive(_ event: Event) {
        events.withLock { $0.append(event) }
        if cancels.withLock({ $0 }) { withUnsafeCurrentTask { $0?.cancel() } }
    }
    var texts: [String] { events.withLock { $0.map(\.text) } }
    var warnings: [String] { events.withLock { $0.filter { $0.kind == .warning }.map(\.text) } }
}

/// A build that has left its images in a folder of its own, for post-processors to work on.
final class FinishedBuild: Sendable {
    let folder = NSTemporaryDirectory() + "ingot-built-\(UUID().uuidString)"
    let log = EventLog()

    /// Of the main disk: content, a hole, content.
    static let system =
        Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 17) }) + Data(count: 824_000)
        + Data((0..<24576).map { UInt8(truncatingIfNeeded: $0 &* 5) })

    init(images: [String: Data] = ["packer-vm": FinishedBuild.system]) throws {
        try FileManager.default.createDirectory(atPath: folder + "/output-vm", withIntermediateDirectories: true)
        for (name, content) in images { try content.write(to: URL(filePath: folder + "/output-vm/" + name)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }  // The system clears its temporary folder too.

    func names(in part: String = "output-vm") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/" + part)) ?? []).sorted()  // None is none.
    }

    private static func load(
        _ postProcessors: String, _ source: String = "", _ environment: [String: String] = [:], force: Bool = false
    ) throws -> LoadedPlan {
        let template = """
            source "qemu" "vm" {
              iso_url      = "a.iso"
              iso_checksum = "none"
              ssh_username = "root"
              format       = "raw"
              output_directory = "output-vm"
            \(source)
            }
            build {
              sources = ["source.qemu.vm"]
            \(postProcessors)
            }
            """
        // Where nothing is built yet.
        let empty = NSTemporaryDirectory() + "ingot-template-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: empty) }  // As in `deinit`.
        try template.write(toFile: empty + "/t.pkr.hcl", atomically: true, encoding: .utf8)
        return loadPlan(
            LoadOptions(path: "t.pkr.hcl", environment: environment, workingDirectory: empty, force: force))
    }

    private static func errors(of loaded: LoadedPlan) -> String {
        let renderer = DiagnosticRenderer(files: loaded.files)
        return loaded.plan.diagnostics.filter { $0.severity == .error }.map(renderer.render).joined()
    }

    /// What is wrong with a template of these post-processors; empty if nothing is.
    static func mistakes(_ postProcessors: String) throws -> String { errors(of: try load(postProcessors)) }

    /// What is secret of such a template, once it is loaded.
    static func secrets(of postProcessors: String) throws -> [String] {
        try load(postProcessors).plan.value.secrets.map { $0.reveal() }
    }

    /// Runs the post-processors of a template on the images.
    ///
    /// - Parameter checksOnly: Only what comes before the build.
    func run(
        _ postProcessors: String, source: String = "", at time: Double = 1_800_000_000, force: Bool = false,
        environment: [String: String] = [:], checksOnly: Bool = false
    ) async throws -> [Artifact] {
        let start = Date(timeIntervalSince1970: time)
        let loaded = try Self.load(postProcessors, source, environment, force: force)
        let errors = Self.errors(of: loaded)
        try #require(errors.isEmpty, "\(errors)")
        let build = try #require(loaded.plan.value.builds.first)
        let context = RunContext(
            workingDirectory: folder, templateDirectory: folder, templatePath: folder + "/t.pkr.hcl", runUUID: "run",
            startTime: start, force: force,
            environment: environment)
        let reporter = Reporter(build: build.name, sinks: [log], secrets: loaded.plan.value.secrets)
        let data = RunData(
            id: "", host: "", port: 0, user: "", password: Sensitive(""), connectionType: "none", runUUID: "run",
            httpIP: "", httpPort: "0", sshPublicKey: "", sshPrivateKey: Sensitive(""))
        let artifact = Artifact(
            id: "VM", description: "VM files", files: names().map { "output-vm/" + $0 },
            directory: folder + "/output-vm")
        var process = PostProcess(build: build, data: data, context: context, reporter: reporter)
        process.pace = .quick
        if checksOnly {
            try await process.check()
            return []
        }
        return try await process.run(artifact)
    }
}
