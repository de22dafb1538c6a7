import Foundation
import Scopes
import Templates

/// Gives the finished output its name; with `-force` it takes the place of an older one.
struct CommitOutput: Sendable {
    let source: QemuSource
    let context: RunContext

    func run(_ workspace: Workspace) throws -> Artifact {
        let output = URL(filePath: context.absolute(source.outputDirectory)).standardizedFileURL.path
        if context.workingDirectory == output || context.workingDirectory.hasPrefix(output + "/") {
            return try moveFiles(of: workspace, into: output)
        }
        let old = workspace.path + "/replaced"
        if FileManager.default.fileExists(atPath: output) {
            guard context.force else {
                throw BuildError(
                    "move the image to \(source.outputDirectory)", because: "something made it while the build ran",
                    hint: "Name another output_directory.")
            }
            guard rename(output, old) == 0 else { throw systemFailure("move the old \(source.outputDirectory) away") }
        }
        guard rename(workspace.output, output) == 0 else {
            let failure = systemFailure("move the image to \(source.outputDirectory)")
            rename(old, output)
            throw failure
        }
        return artifact(try files(in: output))
    }

    /// An output folder that holds the working directory cannot be replaced: the files go into it one by one.
    private func moveFiles(of workspace: Workspace, into output: String) throws -> Artifact {
        let names = try files(in: workspace.output)
        for name in names {
            try makeParent(of: output + "/" + name)
            guard rename(workspace.output + "/" + name, output + "/" + name) == 0 else {
                throw systemFailure("move \(name) to \(source.outputDirectory)")
            }
        }
        return artifact(names)
    }

    private func files(in output: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: output).sorted().filter { name in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: output + "/" + name, isDirectory: &isDirectory)
                && !isDirectory.boolValue && !isDropped(name)
        }
    }

    private func artifact(_ names: [String]) -> Artifact {
        Artifact(
            id: "VM", description: "VM files in directory: \(source.outputDirectory)",
            files: names.map { source.outputDirectory + "/" + $0 },
            directory: context.absolute(source.outputDirectory), builderID: "transcend.qemu")
    }

    /// `efi_drop_efivars` leaves the variables out of the artifact; the file stays.
    private func isDropped(_ name: String) -> Bool {
        guard case .efi(_, _, let dropsVars) = source.machine.firmware else { return false }
        return dropsVars && name == "efivars.fd"
    }
}
