package import Foundation
package import ProxmoxConfiguration
package import Scopes

/// An image on this machine that becomes a drive of the template.
package struct TemplateImage: Sendable {
    package var slot: DriveSlot
    package var path: String
    /// `qcow2`, `raw` or `vmdk`; the image must have no backing file.
    package var format: MachineConfiguration.DiskFormat
    /// Bytes that the drive is enlarged to.
    package var grownSize: Int64?

    package init(
        slot: DriveSlot, path: String, format: MachineConfiguration.DiskFormat, grownSize: Int64? = nil
    ) {
        self.slot = slot
        self.path = path
        self.format = format
        self.grownSize = grownSize
    }
}

/// How the images reach the node.
package enum ImageDelivery: Sendable, Equatable {
    /// Through the API where the server can, otherwise through SSH.
    case automatic
    /// Through the API, onto a storage with the content type Import; nil takes the first that fits.
    case upload(storage: String?)
    /// Through SSH and `qm importdisk`, into a folder of the node.
    case shell
}

/// What to do about a template of the same name or number.
package enum ExistingTemplate: Sendable, Equatable {
    /// Say so, and change nothing.
    case refuse
    /// The new one takes its place. Only templates that Ingot made under this name are removed, unless `any`; machines
    /// that are not templates never are.
    case replace(any: Bool)
    /// The new one is called `name-label` and is kept beside the others. Of those that Ingot made, the newest `keep`
    /// remain, the new one counted; nil keeps all.
    case version(label: String, keep: Int?)
}

/// A template to be made on a Proxmox VE server.
package struct TemplateUpload: Sendable {
    /// Nil is the only node that there is.
    package var node: String?
    package var machine: MachineConfiguration
    package var images: [TemplateImage]
    package var delivery = ImageDelivery.automatic
    package var existing = ExistingTemplate.refuse
    /// When the image was made; orders versions.
    package var made: Date
    /// Where images are put on the node when they come through SSH.
    package var remoteFolder = "/var/tmp"

    package init(node: String?, machine: MachineConfiguration, images: [TemplateImage], made: Date) {
        self.node = node
        self.machine = machine
        self.images = images
        self.made = made
    }
}

/// What came of an upload.
package struct UploadedTemplate: Sendable, Equatable {
    package var vmid: Int
    package var name: String
    package var node: String
    /// Older templates that were removed.
    package var removed: [Int] = []
    /// What did not go as wished, though the template is complete.
    package var warnings: [String] = []

    package init(vmid: Int, name: String, node: String, removed: [Int] = [], warnings: [String] = []) {
        self.vmid = vmid
        self.name = name
        self.node = node
        self.removed = removed
        self.warnings = warnings
    }
}

/// The events of an upload.
package enum UploadEvent: Sendable {
    /// The next thing, as an infinitive.
    case step(String)
    case sent(bytes: Int64, of: Int64)
    /// Something of ours could not be removed after a failure; it says what, and how to do it by hand.
    case leftBehind(BuildError)
}

/// A shell on a node, such as one through SSH, as a user that may run `qm` (root).
///
/// Each answers cancellation and has a deadline of its own.
package protocol ProxmoxShell: Sendable {
    func upload(_ localPath: String, to remotePath: String) async throws
    /// Runs a command line of `sh`; a non-zero exit code is not an error here.
    func run(_ command: String) async throws -> (exitCode: Int32, output: String)
    /// Removes a file; a missing one is not an error.
    func remove(_ remotePath: String) async throws
}
