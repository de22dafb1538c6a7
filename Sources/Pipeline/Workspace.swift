import Foundation

/// The folder beside the output in which a build works; on success its `output` part takes the output's name.
package struct Workspace: Sendable {
    /// The whole folder: on the output's own file system, so that the end is a rename.
    let path: String

    package init(path: String) { self.path = path }

    /// Becomes the output directory.
    var output: String { path + "/output" }
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
}
