import Files
import Foundation
import Scopes

extension OutputFolder {
    /// The steps by which a finished image takes its place.
    package enum Step: String, CaseIterable, Sendable {
        case leaveWorkspace, collect, exchange, moveOldAside, moveNewIn, moveFile, dropOld
    }

    /// How an image takes its place; tests interfere here.
    package struct Placing: Sendable {
        /// Called before each step.
        package var before: @Sendable (Step) throws -> Void = { _ in }
        /// False: as on a file system that cannot exchange two names.
        package var exchanges = true

        package init() {}
    }

    /// Makes a finished image the output, together with what the build has put there.
    ///
    /// First of all the image leaves the workspace for a name beside the output (`out.unfinished`), where no removal of
    /// leftovers finds it: whatever fails from then on, and whenever the program is killed, the older output and the image
    /// are both there under one name or another.
    ///
    /// - Parameters:
    ///   - workspace: Its `output` is the image; the older output is moved into it.
    ///   - isComplete: Whether all is there that the template asks for; if not, the image does not replace an older output.
    ///   - carried: Absolute paths whose content belongs to the output even where the listing shows no change: an earlier
    ///     build's downloads, which this build has relied upon.
    /// - Returns: Where the image is now: the output directory, or a folder beside it.
    /// - Throws: `BuildError` that names where the image is kept.
    package func commit(
        _ workspace: Workspace, isComplete: Bool, carried: [String] = [], placing: Placing = Placing()
    ) throws -> String {
        let operation = "move the image to \(shown)"
        var kept = workspace.output
        do {
            try placing.before(.leaveWorkspace)
            if place.isFixed { isCommitted.set() }
            kept = try rename(kept, toFreeNameLike: path + (place.isFixed ? "/unfinished" : ".unfinished"), operation)
            guard isComplete || !hadContent else {
                // The build fails anyway, and its own error is the one to report.
                if !place.isFixed { try? collect(into: kept, carried) }
                return kept
            }
            if place.isFixed {
                try moveFiles(of: kept, placing)
            } else {
                try placing.before(.collect)
                try collect(into: kept, carried)
                try takePlace(kept, workspace.replaced, operation, placing)
            }
            return path
        } catch {
            if kept == workspace.output { isStuck.set() }
            var failure = error as? BuildError ?? BuildError(operation: operation, underlying: error)
            let hints = [failure.hint, "The finished image is kept in \(kept)."]
            failure.hint = hints.compactMap(\.self).joined(separator: "\n  ")
            throw failure
        }
    }

    /// Adds what the build has put into the output directory to the image. The directory keeps it, too.
    private func collect(into kept: String, _ carried: [String]) throws {
        // The build may have removed it.
        guard fileStatus(path)?.isFolder == true else { return }
        let now = try FolderListing(of: path)
        let relied = carried.compactMap(place.name)
        let names = now.paths.filter { name in
            now.isChanged(name, since: before) || relied.contains { name == $0 || name.hasPrefix($0 + "/") }
        }
        for name in names {
            guard let entry = now.entries[name] else { continue }
            let (source, target) = (path + "/" + name, kept + "/" + name)
            if entry.isFolder {
                try makeFolder(target)
                continue
            }
            try makeParent(of: target)
            // What the image itself has under this name wins.
            if fileStatus(target) != nil || linkat(AT_FDCWD, source, AT_FDCWD, target, 0) == 0 { continue }
            try attemptingNow("copy \(source) to the image in \(kept)") {
                try FileManager.default.copyItem(atPath: source, toPath: target)
            }
        }
    }

    private func takePlace(_ kept: String, _ trash: String, _ operation: String, _ placing: Placing) throws {
        var old: String?
        if let status = fileStatus(path) {
            guard status.isFolder else { throw BuildError(operation, because: "a file has taken its name") }
            try placing.before(.exchange)
            if placing.exchanges, try exchangeNames(kept, path, operation) {
                old = kept
            } else {
                try placing.before(.moveOldAside)
                old = try rename(path, toFreeNameLike: path + ".replaced", operation)
            }
        }
        if old != kept {
            do {
                try placing.before(.moveNewIn)
                guard try rename(kept, toFreeName: path, operation) else {
                    throw BuildError(operation, because: "something else has just been made there")
                }
            } catch {
                // Where this fails as well, the old output stays beside its place, as the image does.
                if let old { _ = try? rename(old, toFreeName: path, operation) }
                throw error
            }
        }
        isCommitted.set()
        guard let old else { return }
        try? placing.before(.dropOld)
        // An old output that cannot be moved away takes up room, but does not cost a finished image.
        _ = try? rename(old, toFreeName: trash, operation)
    }

    /// Fills a folder that has to stay, file by file.
    private func moveFiles(of kept: String, _ placing: Placing) throws {
        let listing = try FolderListing(of: kept)
        for name in listing.paths {
            if listing.entries[name]?.isFolder == true {
                try makeFolder(path + "/" + name)
                continue
            }
            try placing.before(.moveFile)
            guard Glibc.rename(kept + "/" + name, path + "/" + name) == 0 else {
                throw systemFailure("move \(name) to \(shown)")
            }
        }
        // Only empty folders are left, which harm nobody.
        try? removeTree(kept)
    }
}
