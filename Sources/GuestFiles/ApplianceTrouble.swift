import Foundation

/// Why libguestfs's appliance did not start, and what to do about it.
package struct ApplianceTrouble: Equatable {
    /// What happened.
    package var reason: String
    /// What to do about it.
    package var hint: String?

    /// The relevant facts about this host.
    package struct Host {
        /// The kernels from which an appliance can be built, and whether this user may read them.
        var kernels: [String: Bool]
        var cacheFolder: String
        var cacheRoom: UInt64
        var temporaryFolder: String
        var temporaryRoom: UInt64

        package init(
            kernels: [String: Bool], cacheFolder: String, cacheRoom: UInt64, temporaryFolder: String,
            temporaryRoom: UInt64
        ) {
            self.kernels = kernels
            self.cacheFolder = cacheFolder
            self.cacheRoom = cacheRoom
            self.temporaryFolder = temporaryFolder
            self.temporaryRoom = temporaryRoom
        }

        /// The facts about this host as it is now.
        package static func current(cacheFolder: String, temporaryFolder: String) -> Host {
            var kernels: [String: Bool] = [:]
            for name in (try? FileManager.default.contentsOfDirectory(atPath: "/boot")) ?? []
            where name.hasPrefix("vmlinuz") || name.hasPrefix("vmlinux") {
                kernels["/boot/" + name] = access("/boot/" + name, R_OK) == 0
            }
            for release in (try? FileManager.default.contentsOfDirectory(atPath: "/lib/modules")) ?? [] {
                let path = "/lib/modules/\(release)/vmlinuz"
                if access(path, F_OK) == 0 { kernels[path] = access(path, R_OK) == 0 }
            }
            return Host(
                kernels: kernels, cacheFolder: cacheFolder, cacheRoom: room(in: cacheFolder),
                temporaryFolder: temporaryFolder, temporaryRoom: room(in: temporaryFolder))
        }

        private static func room(in folder: String) -> UInt64 {
            var status = statvfs()
            guard statvfs(folder, &status) == 0 else { return .max }  // Unknown, so free space is not the reason.
            return UInt64(status.f_bavail) * UInt64(status.f_frsize)
        }
    }

    /// The size of an appliance in bytes, with a reserve.
    private static let applianceSize: UInt64 = 600 << 20

    package init(message: String, console: String, host: Host) {
        let lines = console.split(whereSeparator: \.isNewline)
        let words = lines.suffix(40).map(String.init)
        reason = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? "libguestfs gives no reason"
        let unreadable = host.kernels.filter { !$0.value }.keys.sorted()
        func said(_ piece: String) -> String? { words.last { $0.lowercased().contains(piece.lowercased()) } }
        if let line = words.last(where: { $0.contains("qemu-system") && $0.contains("Could not open") })
            ?? said("Image is not in") ?? said("Could not open") ?? said("Failed to get \"write\" lock")
        {
            reason = line
            hint =
                line.contains("lock")
                ? "Another program, such as a running machine, has the disk open. Stop it first."
                : "Check the disk: qemu-img check FILE."
        } else if said("No space left") != nil || message.contains("No space left") {
            reason = "there is not enough free space for libguestfs's appliance"
            hint = Self.roomHint(host)
        } else if message.contains("cannot find any suitable") {
            hint =
                "libguestfs does not find its appliance. Install libguestfs0 with supermin (on Fedora: libguestfs-appliance), or "
                + "correct LIBGUESTFS_PATH."
        } else if message.contains("supermin") || said("supermin:") != nil {
            if let line = said("supermin:") { reason = line }
            if host.kernels.isEmpty {
                hint =
                    "libguestfs builds its appliance from this host's kernel, and /boot has none. Install one: "
                    + "apt-get install linux-image-cloud-amd64."
            } else if unreadable.count == host.kernels.count {
                hint =
                    "libguestfs builds its appliance from this host's kernel, which you may not read: "
                    + "sudo chmod a+r \(unreadable.joined(separator: " "))"
            } else if host.cacheRoom < Self.applianceSize {
                hint = Self.roomHint(host)
            } else {
                hint = "Run libguestfs-test-tool to see what the appliance lacks."
            }
        } else if host.temporaryRoom < 16 << 20 || host.cacheRoom < 16 << 20 {
            hint = Self.roomHint(host)
        } else if console.contains("MSR") || console.contains("kvm") {
            hint = "KVM does not work here. Set LIBGUESTFS_BACKEND_SETTINGS=force_tcg to emulate the CPU instead."
        } else {
            if let last = words.last { reason += " (\(last))" }
            hint = "Run libguestfs-test-tool to see what the appliance lacks."
        }
    }

    private static func roomHint(_ host: Host) -> String {
        "\(host.cacheFolder) has \(host.cacheRoom >> 20) MiB free and \(host.temporaryFolder) "
            + "\(host.temporaryRoom >> 20) MiB; the appliance takes \(applianceSize >> 20) MiB. Free some space, or set "
            + "LIBGUESTFS_CACHEDIR or TMPDIR to another folder."
    }
}
