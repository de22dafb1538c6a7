package import ComponentModel
import Foundation
package import Proxmox
import ProxmoxConfiguration
import Scopes
package import Templates

/// Runs the chains of post-processors on a build's artifact.
///
/// Every chain starts from the machine's artifact; inside a chain each result feeds the next. A chain that fails does
/// not stop the others. Packer's own keep their input whatever `keep_input_artifact` says; those that make something else
/// of the images drop them where it is false, once everything has succeeded.
package struct PostProcess: Sendable {
    let build: PlannedBuild
    let data: RunData
    let context: RunContext
    let reporter: Reporter
    /// With a server of Proxmox VE.
    package var pace = ProxmoxPace()

    package init(build: PlannedBuild, data: RunData, context: RunContext, reporter: Reporter) {
        self.build = build
        self.data = data
        self.context = context
        self.reporter = reporter
    }

    /// Asks the servers that the post-processors will use whether they would let them in.
    package func check() async throws {
        for planned in build.postProcessors.joined() where planned.type == "proxmox" {
            // Options that only the run can fill in are checked then.
            guard case .proxmoxUpload(let settings)? = try? planned.settings(data) else { continue }
            try await reporter.step("Checking the server of post-processor: \(planned.title)") {
                try await UploadProxmoxTemplate(
                    settings: settings, source: build.source, context: context, reporter: reporter, pace: pace
                ).check()
            }
        }
    }

    /// The machine's artifact and those made from it, to show at the end.
    ///
    /// - Throws: The first failure, after all chains have had their turn.
    package func run(_ machineArtifact: Artifact) async throws -> [Artifact] {
        var artifacts = [machineArtifact]
        var failure: (any Error)?
        var dropped: [String] = []
        for chain in build.postProcessors {
            do {
                var current = machineArtifact
                for planned in chain {
                    let made = try await reporter.step("Running post-processor: \(planned.title)") {
                        try await run(planned, on: current)
                    }
                    guard let made else { continue }
                    if planned.keepInputArtifact == false, planned.consumesImages { dropped += images(in: current) }
                    current = made
                    artifacts.append(made)
                }
            } catch let error as CancellationError {
                throw error
            } catch {
                if failure == nil { failure = error } else { reporter.warn("also \(error)") }
            }
        }
        if let failure { throw failure }
        return try remaining(artifacts, without: dropped)
    }

    private func remaining(_ artifacts: [Artifact], without dropped: [String]) throws -> [Artifact] {
        guard !dropped.isEmpty else { return artifacts }
        for file in dropped { try removeTree(context.absolute(file)) }
        // Only an empty one goes.
        if let folder = artifacts.first?.directory { rmdir(folder) }
        let gone = Set(dropped)
        return artifacts.compactMap { artifact in
            var rest = artifact
            rest.files.removeAll(where: gone.contains)
            return artifact.files.isEmpty || !rest.files.isEmpty ? rest : nil
        }
    }

    /// The machine's disks and UEFI variables among the files: what lies beside them, such as checksums, is no image.
    private func images(in artifact: Artifact) -> [String] {
        let numbers = build.source.disk.additionalSizes.indices.map { "-\($0 + 1)" }
        let names = Set(([""] + numbers).map { build.source.vmName + $0 } + ["efivars.fd"])
        return artifact.files.filter { names.contains(URL(filePath: $0).lastPathComponent) }
    }

    /// What the post-processor made; nil when it hands on its input.
    private func run(_ planned: PlannedPostProcessor, on input: Artifact) async throws -> Artifact? {
        switch try planned.settings(data) {
        case .checksum(let settings):
            return try await WriteChecksums(settings: settings, build: build, context: context).run(input)
        case .manifest(let settings):
            try WriteManifest(settings: settings, build: build, context: context).run(input)
        case .proxmoxTemplate(let settings):
            return try await archive(input, settings)
        case .proxmoxUpload(let settings):
            return try await UploadProxmoxTemplate(
                settings: settings, source: build.source, context: context, reporter: reporter, pace: pace
            ).run(input)
        case .shellLocal(let settings):
            try await RunLocalScript(
                settings: settings, build: build, data: data, context: context, reporter: reporter
            ).run()
        }
        return nil
    }

    /// `proxmox-template`.
    private func archive(_ input: Artifact, _ settings: ProxmoxArchiveSettings) async throws -> Artifact {
        let images = try BuiltImages(
            in: input, of: build.source, context: context,
            for: "make the Proxmox archive of \(settings.machine.machine.name)")
        let folder = settings.output ?? build.source.outputDirectory
        let path = context.absolute(folder)
        try makeParent(of: path + "/archive")
        let names = try await MakeProxmoxArchive(settings: settings, context: context, reporter: reporter)
            .run(images, in: path)
        return Artifact(
            id: "", description: "Proxmox template in \(folder): \(names[0])", files: names.map { folder + "/" + $0 },
            directory: nil, builderID: "ingot.post-processor.proxmox-template")
    }
}

extension PlannedPostProcessor {
    /// Whether its result stands for the images.
    fileprivate var consumesImages: Bool { type == "proxmox" || type == "proxmox-template" }
}
