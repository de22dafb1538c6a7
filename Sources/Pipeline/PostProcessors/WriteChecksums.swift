import ComponentModel
import Foundation
import Media
import Scopes
import Templates

/// `checksum`: one file per type with lines `hex TAB name`, added to what is there.
struct WriteChecksums: Sendable {
    let settings: ChecksumSettings
    let build: PlannedBuild
    let context: RunContext

    /// The input's files and the checksum files.
    func run(_ input: Artifact) async throws -> Artifact {
        var files = input.files
        for type in settings.types {
            let data = ["BuildName": build.sourceName, "BuilderType": build.sourceType, "ChecksumType": type]
            let output = try context.render(settings.output, data: data)
            let path = context.absolute(output)
            let existed = FileManager.default.fileExists(atPath: path)
            var lines = ""
            for file in input.files {
                let digest = try await FileDigest.hex(of: context.absolute(file), algorithm: type)
                lines += "\(digest)\t\(URL(filePath: file).lastPathComponent)\n"
            }
            try appendToFile(lines, at: path)
            if !existed { files.append(output) }
        }
        return Artifact(
            id: "", description: "Created artifact from files: \(files.joined(separator: ", "))", files: files,
            directory: nil, builderID: "packer.post-processor.checksum")
    }
}
