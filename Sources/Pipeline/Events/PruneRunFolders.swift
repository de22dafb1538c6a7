package import Foundation
import Scopes

/// Removes old run folders, so that builds do not fill the disk with what explains them.
package struct PruneRunFolders: Sendable {
    /// The folder that holds the run folders.
    let base: String
    /// Folders that are older go.
    var longestAge = Duration.seconds(30 * 86400)
    /// The oldest go until the others take no more bytes.
    var mostBytes: Int64 = 1 << 30
    /// The oldest go until no more than this many are left.
    var mostFolders = 200

    package init(base: String) { self.base = base }

    package init(base: String, longestAge: Duration, mostBytes: Int64, mostFolders: Int) {
        self.base = base
        self.longestAge = longestAge
        self.mostBytes = mostBytes
        self.mostFolders = mostFolders
    }

    /// Removes what exceeds the limits; folders of builds that still run stay.
    ///
    /// - Parameter now: What ages are counted from.
    package func run(now: Date) async {
        // Nothing in there throws; what cannot be removed stays for the next build.
        try? await onOwnThread("prune run folders") { _ in prune(now: now) }
    }

    private func prune(now: Date) {
        // Without such a folder there is nothing to remove.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        let oldest = now.addingTimeInterval(-longestAge.seconds)
        let limit = timestampText(oldest).prefix(19).filter { $0 != "-" && $0 != ":" }
        var bytes: Int64 = 0
        var count = 0
        // Names begin with the time, so the newest come first.
        for name in names.filter(isRunFolder).sorted(by: >) {
            let folder = base + "/" + name
            count += 1
            bytes += size(of: folder)
            if name < limit || bytes > mostBytes || count > mostFolders { remove(folder) }
        }
    }

    /// Whether it has the name that `RunFolder` gives, and the log: nothing else in that place is touched.
    private func isRunFolder(_ name: String) -> Bool {
        name.prefixMatch(of: /[0-9]{8}T[0-9]{6}-/) != nil
            && FileManager.default.fileExists(atPath: "\(base)/\(name)/log.txt")
    }

    private func size(of folder: String) -> Int64 {
        var bytes: Int64 = 0
        // A folder that is being removed by another process has no size.
        for name in (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? [] {
            let attributes = try? FileManager.default.attributesOfItem(atPath: folder + "/" + name)
            bytes += Int64(attributes?[.size] as? Int ?? 0)
        }
        return bytes
    }

    private func remove(_ folder: String) {
        let descriptor = open(folder + "/log.txt", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return }
        // As above.
        try? removeTree(folder)
    }
}
