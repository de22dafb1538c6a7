import ComponentModel
import Foundation
import Scopes
import Templates

/// The disks of a build and its UEFI variables, found among the files that a post-processor is given.
struct BuiltImages: Sendable {
    /// In the machine's order.
    var disks: [String]
    /// `qcow2` or `raw`, of every disk.
    var format: String
    var variables: String?

    /// - Throws: `BuildError` when one is missing.
    init(in artifact: Artifact, of source: QemuSource, context: RunContext, for operation: String) throws {
        var paths: [String: String] = [:]
        for file in artifact.files { paths[URL(filePath: file).lastPathComponent] = context.absolute(file) }
        let numbers = source.disk.additionalSizes.indices.map { "-\($0 + 1)" }
        disks = try ([""] + numbers).map { suffix in
            guard let path = paths[source.vmName + suffix], FileManager.default.fileExists(atPath: path) else {
                throw BuildError(
                    operation, because: "there is no image \(source.vmName + suffix) among the files it was given",
                    hint: "Put it right behind the build, or behind a post-processor that hands the images on.")
            }
            return path
        }
        format = source.disk.format.rawValue
        variables = paths["efivars.fd"].flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    init(disks: [String], format: String, variables: String?) {
        self.disks = disks
        self.format = format
        self.variables = variables
    }
}
