import Files
import Foundation
import Scopes

/// The template's `output_directory` while a build runs.
///
/// It exists from the start, so that provisioners can put files into it. An older output stays there until the new one
/// is complete; what the build writes into it, seen by a listing from the start, becomes a part of the new one.
package final class OutputFolder: Sendable {
    package let place: OutputPlace
    /// What was in it when the build began; nil where the build made the folder.
    let before: FolderListing?
    /// Set once a failed build may not take anything out of it any more.
    let isCommitted = Flag()
    /// Set where a finished image could not leave the workspace.
    let isStuck = Flag()
    /// Where copies of the small files of an older output are.
    private let copies: String
    /// The workspace's name, should it lie in the folder.
    private let skipped: String?

    var path: String { place.path }
    var shown: String { place.shown }

    /// Makes the folder unless it is there.
    ///
    /// - Parameter replaces: Whether there may be an older output.
    /// - Throws: `BuildError`, also when there is an older output that is not to be replaced.
    package init(_ place: OutputPlace, _ workspace: Workspace, replaces: Bool) throws {
        self.place = place
        copies = workspace.path + "/before"
        skipped = place.name(of: workspace.path)
        try makeParent(of: place.path)
        if mkdir(place.path, 0o755) == 0 {
            before = nil
            return
        }
        guard errno == EEXIST else { throw systemFailure("make the output directory \(place.shown)") }
        guard fileStatus(place.path)?.isFolder == true else {
            throw BuildError(
                "write to \(place.shown)", because: "it is a file",
                hint: "Remove it, or name another output_directory.")
        }
        let listing = try FolderListing(of: place.path, skipping: skipped, isShallow: place.isInhabited)
        before = listing
        guard listing.isEmpty || replaces else {
            throw BuildError(
                "write to \(place.shown)", because: "it exists already",
                hint: "Use -force to replace it once the new image is complete, or name another output_directory.")
        }
        if !place.isInhabited { copySmallFiles(of: listing) }
    }

    /// Whether the workspace has to stay, since a finished image could not leave it.
    package var keepsWorkspace: Bool { isStuck.isSet }

    /// Whether there was an older output.
    var hadContent: Bool { before?.isEmpty == false }

    /// After a failed build: removes what it has put into the folder, and restores what it has changed.
    ///
    /// A folder that other things than an output lie in is left as it is.
    ///
    /// - Parameter report: Receives what cannot be restored.
    package func discard(report: (String) -> Void) throws {
        if isCommitted.isSet || place.isInhabited { return }
        guard let before else { return try removeTree(path) }
        try makeFolder(path)
        let now = try FolderListing(of: path, skipping: skipped)
        for name in now.paths.reversed() where before.entries[name] == nil { try removeTree(path + "/" + name) }
        for name in before.paths {
            guard let entry = before.entries[name] else { continue }
            if let present = now.entries[name] {
                if entry.isSame(as: present) { continue }
                if entry.isFolder != present.isFolder { try removeTree(path + "/" + name) }
            }
            if entry.isFolder {
                try makeFolder(path + "/" + name)
            } else if let data = FileManager.default.contents(atPath: copies + "/" + name) {
                try writeFile(data, to: path + "/" + name, mode: entry.mode)
            } else {
                report("\(shown)/\(name) stays as the failed build has left it")
            }
        }
    }

    private func copySmallFiles(of listing: FolderListing) {
        var room: Int64 = 64 << 20
        for name in listing.paths {
            guard let entry = listing.entries[name], entry.kind == .regular, entry.size <= min(room, 1 << 20),
                let data = FileManager.default.contents(atPath: path + "/" + name)
            else { continue }
            room -= entry.size
            // A file that cannot be copied is reported if the build changes it and fails.
            try? writeFile(data, to: copies + "/" + name, mode: 0o600)
        }
    }
}
