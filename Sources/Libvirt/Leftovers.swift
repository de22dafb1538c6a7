import Foundation

/// What builds left behind whose process is gone: machines that still run, folders, half outputs.
package enum Leftovers {
    /// Removes them, and nothing else's.
    ///
    /// - Returns: What was removed, in words.
    package static func remove() async -> [String] {
        let base = EmbeddedRoot.base
        // No folder: nothing was ever left here.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        var removed: [String] = []
        for name in names.sorted() where name != "capabilities" {
            guard let root = EmbeddedRoot(adopting: "\(base)/\(name)") else { continue }
            // A machine that a failed build was to keep.
            if root.isKept, !processes(of: root.path).isEmpty { continue }
            removed += await clear(root)
        }
        return removed
    }

    private static func clear(_ root: EmbeddedRoot) async -> [String] {
        var removed: [String] = []
        for pid in processes(of: root.path) {
            // The embedded driver names its own folder on QEMU's command line, which nobody else does.
            kill(pid, SIGKILL)
            removed.append("machine (process \(pid))")
        }
        for path in root.claims {
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            do {
                try FileManager.default.removeItem(atPath: path)
                removed.append(path)
            } catch {
                removed.append("not removed: \(path): \(error)")
            }
        }
        do { try root.remove() } catch { removed.append("not removed: \(root.path): \(error)") }
        return removed
    }

    /// QEMU and swtpm processes whose command line names a folder.
    private static func processes(of folder: String) -> [Int32] {
        // Without /proc none are found.
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap(Int32.init).filter { pid in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
            let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard let program = words.first, program.contains("qemu") || program.contains("swtpm") else { return false }
            return words.contains { $0.contains(folder + "/") }
        }
    }
}
