import ComponentModel
import Foundation
import Scopes
import Templates

/// Makes the folder to work in; a previous output is left alone until the new one is complete.
struct PrepareWorkspace: Sendable {
    let source: QemuSource
    let context: RunContext
    let engine: Engine

    func run(_ teardowns: Teardowns, _ retention: RetentionPolicy) async throws -> Workspace {
        let output = URL(filePath: context.absolute(source.outputDirectory)).standardizedFileURL
        if !context.force && FileManager.default.fileExists(atPath: output.path) {
            throw BuildError(
                "write to \(source.outputDirectory)", because: "it exists already",
                hint: "Use -force to replace it once the new image is complete, or name another output_directory.")
        }
        let workspace = Workspace(beside: output)
        try await make(workspace, teardowns) { retention.keepsEverything(after: $0) }
        return workspace
    }

    /// A folder for a machine that is thrown away.
    func temporary(_ teardowns: Teardowns) async throws -> Workspace {
        let workspace = Workspace(path: "\(context.temporaryFolder)/ingot-\(UUID().uuidString.lowercased())")
        try await make(workspace, teardowns) { _ in false }
        return workspace
    }

    private func make(
        _ workspace: Workspace, _ teardowns: Teardowns, keeps: @escaping @Sendable (Result<Void, any Error>) -> Bool
    ) async throws {
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
    }
}
