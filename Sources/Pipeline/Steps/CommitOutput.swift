import ComponentModel
import Foundation
import Scopes
import Templates

/// Gives the finished output its name; with `-force` it takes the place of an older one.
struct CommitOutput: Sendable {
    let source: QemuSource
    let context: RunContext

    /// - Parameter isComplete: What the template asks for is there. What is not takes no older output's place: it goes
    ///   beside it.
    func run(_ workspace: Workspace, isComplete: Bool) throws -> Artifact {
        var output = URL(filePath: context.absolute(source.outputDirectory)).standardizedFileURL.path
        if !isComplete, FileManager.default.fileExists(atPath: output) {
            output = try freeName(output + ".unfinished")
        }
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
        return artifact(try files(in: output), in: output)
    }

    private func freeName(_ name: String) throws -> String {
        let names = [name] + (2...1000).map { "\(name)-\($0)" }
        guard let free = names.first(where: { !FileManager.default.fileExists(atPath: $0) }) else {
            throw BuildError(
                "keep the image beside \(source.outputDirectory)", because: "\(name) and its kin exist",
                hint: "Remove them.")
        }
        return free
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
        return artifact(names, in: output)
    }

    private func files(in output: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: output).sorted().filter { name in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: output + "/" + name, isDirectory: &isDirectory)
                && !isDirectory.boolValue && !isDropped(name)
        }
    }

    private func artifact(_ names: [String], in output: String) -> Artifact {
        Artifact(
            id: "VM", description: "VM files in directory: \(source.outputDirectory)",
            files: names.map { source.outputDirectory + "/" + $0 },
            directory: output, builderID: "transcend.qemu")
    }

    /// `efi_drop_efivars` leaves the variables out of the artifact; the file stays.
    private func isDropped(_ name: String) -> Bool {
        guard case .efi(_, _, let dropsVars) = source.machine.firmware else { return false }
        return dropsVars && name == "efivars.fd"
    }
}
