import ComponentModel
import Foundation
import Scopes
import Templates

/// `manifest`: adds this build to a JSON list of builds.
struct WriteManifest: Sendable {
    let settings: ManifestSettings
    let build: PlannedBuild
    let context: RunContext

    func run(_ input: Artifact) throws {
        let path = context.absolute(settings.output)
        try withFolderLock(of: path) {
            var manifest = Manifest(builds: [], lastRunUUID: "")
            if FileManager.default.fileExists(atPath: path) {
                manifest = try read(path)
                // With -force a file that another run left starts anew.
                if context.force && manifest.lastRunUUID != context.runUUID { manifest.builds = [] }
            }
            manifest.builds.append(try entry(for: input))
            manifest.lastRunUUID = context.runUUID
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try writeFile(encoder.encode(manifest), to: path, mode: 0o664)
        }
    }

    private func read(_ path: String) throws -> Manifest {
        do {
            return try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw BuildError(
                "add this build to \(settings.output)", because: "the file that is there is not a manifest: \(error)",
                hint: "Move it away, or name another `output`.")
        }
    }

    private func entry(for input: Artifact) throws -> Manifest.Build {
        let files = try input.files.map { file in
            let attributes = try FileManager.default.attributesOfItem(atPath: context.absolute(file))
            let name = settings.stripPath ? URL(filePath: file).lastPathComponent : file
            return Manifest.File(name: name, size: (attributes[.size] as? Int64) ?? 0)
        }
        let data = ["BuildName": build.sourceName, "BuilderType": build.sourceType]
        let custom = try settings.customData.mapValues { try context.render($0, data: data) }
        return Manifest.Build(
            name: build.sourceName, builderType: build.sourceType,
            buildTime: settings.stripTime ? nil : Int(Date().timeIntervalSince1970),
            files: files.isEmpty ? nil : files, artifactID: input.id, runUUID: context.runUUID,
            customData: custom.isEmpty ? nil : custom)
    }
}

/// Packer's `packer-manifest.json`.
private struct Manifest: Codable {
    struct File: Codable {
        var name: String
        var size: Int64
    }

    struct Build: Codable {
        var name: String
        var builderType: String
        var buildTime: Int?
        var files: [File]?
        var artifactID: String
        var runUUID: String
        var customData: [String: String]?

        enum CodingKeys: String, CodingKey {
            case name, files
            case builderType = "builder_type"
            case buildTime = "build_time"
            case artifactID = "artifact_id"
            case runUUID = "packer_run_uuid"
            case customData = "custom_data"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(builderType, forKey: .builderType)
            try container.encodeIfPresent(buildTime, forKey: .buildTime)
            // Packer writes null, not nothing, where there are no files and no data.
            try container.encode(files, forKey: .files)
            try container.encode(artifactID, forKey: .artifactID)
            try container.encode(runUUID, forKey: .runUUID)
            try container.encode(customData, forKey: .customData)
        }
    }

    var builds: [Build]
    var lastRunUUID: String

    enum CodingKeys: String, CodingKey {
        case builds
        case lastRunUUID = "last_run_uuid"
    }
}
