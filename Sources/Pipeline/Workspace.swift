import Checkpoints
import ComponentModel
import Files
import Foundation
import Templates

/// The folder beside the output in which a build works; on success its `output` part takes the output's name.
package struct Workspace: Sendable {
    /// The whole folder: on the output's own file system, so that the end is a rename.
    package let path: String

    package init(path: String) { self.path = path }

    /// A new one.
    ///
    /// - Parameter place: Where its output goes in the end.
    init(for place: OutputPlace) {
        path =
            "\(place.workspaceParent)/\(Self.prefix(place.path))\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
    }

    /// Whether a path is the output directory, or what builds with that output leave beside it.
    ///
    /// - Parameter output: An absolute path.
    static func isPart(_ path: String, ofOutput output: String) -> Bool {
        let (url, output) = (URL(filePath: path).standardizedFileURL, URL(filePath: output).standardizedFileURL)
        let (folder, parent) = (url.deletingLastPathComponent().path, output.deletingLastPathComponent().path)
        let isWorkspace = url.lastPathComponent.hasPrefix(prefix(output.path))
        return url.path == output.path || isWorkspace && (folder == parent || folder == output.path)
            || folder == parent
                && [".unfinished", ".replaced"].contains {
                    url.lastPathComponent.hasPrefix(output.lastPathComponent + $0)
                }
    }

    private static func prefix(_ output: String) -> String { ".\(URL(filePath: output).lastPathComponent).ingot-" }

    /// - Returns: The path of a workspace for the same output that a running build holds; nil where there is none.
    func rival(for place: OutputPlace) throws -> String? {
        // A parent that cannot be listed shows no rivals.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: place.workspaceParent)) ?? []
        return names.map { "\(place.workspaceParent)/\($0)" }.first { other in
            guard other != path, URL(filePath: other).lastPathComponent.hasPrefix(Self.prefix(place.path)),
                fileStatus(other + "/lock") != nil
            else { return false }
            // One that is just being removed is none.
            do { return try FileLock.attempt(other + "/lock", .exclusive) == nil } catch { return false }
        }
    }

    /// Held while the build runs.
    var lock: String { path + "/lock" }
    /// Where an older output goes when it has been replaced.
    var replaced: String { path + "/replaced" }
    /// Becomes the output directory.
    package var output: String { path + "/output" }
    /// The UEFI variables.
    var variables: String { output + "/efivars.fd" }
    /// CD and floppy images.
    var seeds: String { path + "/seeds" }
    /// What is changed of the disks while they are finished.
    var overlays: String { path + "/overlays" }
}

/// The disks of the machine, the main one first.
package struct Disks: Sendable {
    var paths: [String]
    /// The template's name for the format.
    var format: String

    package init(paths: [String], format: String) {
        self.paths = paths
        self.format = format
    }
}

/// The seed images that the template asks for.
package struct Seeds: Sendable {
    var cd: String?
    var floppy: String?

    package init(cd: String? = nil, floppy: String? = nil) {
        self.cd = cd
        self.floppy = floppy
    }

    static let cdName = "/cd.iso"
    static let floppyName = "/floppy.img"

    /// Those that an earlier run made.
    init(in folder: String) {
        let files = FileManager.default
        if files.fileExists(atPath: folder + Self.cdName) { cd = folder + Self.cdName }
        if files.fileExists(atPath: folder + Self.floppyName) { floppy = folder + Self.floppyName }
    }
}

extension QemuSource {
    /// Where the finished images lie, the main one first.
    func images(in workspace: Workspace) -> [String] {
        let main = workspace.output + "/" + vmName
        return [main] + disk.additionalSizes.indices.map { "\(main)-\($0 + 1)" }
    }

    /// Where the machine writes to while checkpoints are kept of it.
    func layers(in folder: StageFolder) -> [String] {
        (0...disk.additionalSizes.count).map { "\(folder.path)/disk-\($0)" }
    }
}
