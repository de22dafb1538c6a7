import Scopes
import Templates

/// Runs the chains of post-processors on a build's artifact (packer-compat 9.1).
///
/// Every chain starts from the machine's artifact; inside a chain each result feeds the next. A chain that fails does
/// not stop the others. The post-processors built in keep their input whatever `keep_input_artifact` says, as Packer's do.
struct PostProcess: Sendable {
    let build: PlannedBuild
    let data: RunData
    let context: RunContext
    let reporter: Reporter

    /// The machine's artifact and those made from it, to show at the end.
    ///
    /// - Throws: The first failure, after all chains have had their turn.
    func run(_ machineArtifact: Artifact) async throws -> [Artifact] {
        var artifacts = [machineArtifact]
        var failure: (any Error)?
        for chain in build.postProcessors {
            do {
                var current = machineArtifact
                for planned in chain {
                    let made = try await reporter.step("Running post-processor: \(planned.name ?? planned.type)") {
                        try await run(planned, on: current)
                    }
                    guard let made else { continue }
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
        return artifacts
    }

    /// What the post-processor made; nil when it hands on its input.
    private func run(_ planned: PlannedPostProcessor, on input: Artifact) async throws -> Artifact? {
        switch try planned.settings(data) {
        case .checksum(let settings):
            return try await WriteChecksums(settings: settings, build: build, context: context).run(input)
        case .manifest(let settings):
            try WriteManifest(settings: settings, build: build, context: context).run(input)
        case .shellLocal(let settings):
            try await RunLocalScript(
                settings: settings, build: build, data: data, context: context, reporter: reporter
            ).run()
        }
        return nil
    }
}
