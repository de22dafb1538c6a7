import Checkpoints
import ComponentModel
import Foundation
import Templates

/// The folder beside the output in which a build works; on success its `output` part takes the output's name.
package struct Workspace: Sendable {
    /// The whole folder: on the output's own file system, so that the end is a rename.
    let path: String

    package init(path: String) { self.path = path }

    /// A new one.
    ///
    /// - Parameter output: The folder that it becomes.
    init(beside output: URL) {
        let parent = output.deletingLastPathComponent().path
        path = "\(parent)/\(Self.prefix(output))\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
    }

    /// Whether a folder is the workspace of a build with that output.
    static func isOne(_ folder: URL, of output: URL) -> Bool {
        folder.lastPathComponent.hasPrefix(prefix(output))
            && folder.deletingLastPathComponent().path == output.deletingLastPathComponent().path
    }

    private static func prefix(_ output: URL) -> String { ".\(output.lastPathComponent).ingot-" }

    /// Becomes the output directory.
    var output: String { path + "/output" }
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
