import ComponentModel
import Files
import Foundation
import Scopes
import Templates

/// Gives the finished output its name; with `-force` it takes the place of an older one.
struct CommitOutput: Sendable {
    let source: QemuSource

    /// - Parameters:
    ///   - isComplete: Whether all is there that the template asks for; if not, an older output stays, and the new one goes
    ///     beside it.
    ///   - downloads: Absolute paths that provisioners have downloaded to, in this build or in one that it goes on from.
    /// - Throws: `BuildError` that names where the image is.
    func run(_ workspace: Workspace, _ output: OutputFolder, isComplete: Bool, downloads: [String]) throws -> Artifact {
        let image = try FolderListing(of: workspace.output)
        let folder = try output.commit(workspace, isComplete: isComplete, carried: downloads)
        // Where all sorts of other things lie as well, what else the build has put there cannot be told from them.
        let listing = output.place.isInhabited ? image : try FolderListing(of: folder)
        let isShared = folder == output.path && output.place.isFixed && !output.place.isInhabited
        let names = listing.paths.filter { name in
            listing.entries[name]?.isFolder == false && !isDropped(name)
                && (!isShared || listing.isChanged(name, since: output.before))
        }
        return Artifact(
            id: "VM", description: "VM files in directory: \(source.outputDirectory)",
            files: names.map { source.outputDirectory + "/" + $0 },
            directory: folder, builderID: "transcend.qemu")
    }

    /// `efi_drop_efivars` leaves the variables out of the artifact; the file stays.
    private func isDropped(_ name: String) -> Bool {
        guard case .efi(_, _, let dropsVars) = source.machine.firmware else { return false }
        return dropsVars && name == "efivars.fd"
    }
}
