import ComponentModel
import Files
import Foundation
import Scopes
import Templates

/// Makes the folder to work in, and the output directory; an older output is left alone until the new one is complete.
struct PrepareWorkspace: Sendable {
    let source: QemuSource
    let context: RunContext
    let engine: Engine
    let reporter: Reporter

    /// - Parameter medium: The path of what the machine starts from.
    func run(
        medium: String, _ teardowns: Teardowns, _ retention: RetentionPolicy
    ) async throws -> (workspace: Workspace, output: OutputFolder) {
        let place = try place(medium)
        let workspace = Workspace(for: place)
        let keepsImage = Flag()
        let lock = try await make(workspace, teardowns) { retention.keepsEverything(after: $0) || keepsImage.isSet }
        teardowns.add("unlock \(workspace.path)") { _ in lock.release() }
        if let rival = try workspace.rival(for: place) {
            throw BuildError(
                "write to \(place.shown)", because: "another build is writing to it, in \(rival)",
                hint: "Wait for it, or name another output_directory.")
        }
        let output = try OutputFolder(place, workspace, replaces: context.force)
        teardowns.add("remove what was made in \(place.shown)") { [reporter] outcome in
            if output.keepsWorkspace { keepsImage.set() }
            guard case .failure = outcome, !retention.keepsEverything(after: outcome) else { return }
            try output.discard(report: reporter.warn)
        }
        return (workspace, output)
    }

    /// For a machine that makes no image: a folder that is thrown away, and an output directory that is afterwards as it
    /// was.
    func temporary(
        medium: String, _ teardowns: Teardowns
    ) async throws -> (workspace: Workspace, output: OutputFolder) {
        let workspace = try await temporary(teardowns)
        let output = try OutputFolder(place(medium), workspace, replaces: true)
        teardowns.add("remove what was made in \(source.outputDirectory)") { [reporter] _ in
            try output.discard(report: reporter.warn)
        }
        return (workspace, output)
    }

    /// A folder for a machine that is thrown away.
    func temporary(_ teardowns: Teardowns) async throws -> Workspace {
        let workspace = Workspace(path: "\(context.temporaryFolder)/ingot-\(UUID().uuidString.lowercased())")
        _ = try await make(workspace, teardowns) { _ in false }
        return workspace
    }

    private func place(_ medium: String) throws -> OutputPlace {
        try OutputPlace(
            named: context.absolute(source.outputDirectory), shown: source.outputDirectory,
            residents: [context.workingDirectory, context.templatePath, medium])
    }

    private func make(
        _ workspace: Workspace, _ teardowns: Teardowns, keeps: @escaping @Sendable (Result<Void, any Error>) -> Bool
    ) async throws -> FileLock {
        try makeParent(of: workspace.path)
        try await engine.claim(workspace.path)
        teardowns.add("remove the folder \(workspace.path)") { [engine] outcome in
            // Released either way: what is kept on purpose is no leftover.
            try await engine.release(workspace.path)
            if !keeps(outcome) { try removeTree(workspace.path) }
        }
        for folder in [workspace.path, workspace.output, workspace.seeds] {
            guard mkdir(folder, 0o755) == 0 else { throw systemFailure("make the folder \(folder)") }
        }
        guard let lock = try FileLock.attempt(workspace.lock, .exclusive, making: true) else {
            throw BuildError("lock \(workspace.path)", because: "another process has locked it")
        }
        return lock
    }
}
