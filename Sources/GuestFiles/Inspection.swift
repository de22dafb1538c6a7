import CGuestfs
import Foundation

/// An operating system found on the disks, and its mount points.
package struct FoundSystem {
    var root: String
    /// The system that was found.
    package var system: GuestSystem
    /// Mount points with their devices, parents first.
    var mountPoints: [(path: String, device: String)]
}

extension Guestfs {
    /// The operating systems on the disks; may be empty.
    package func findSystems() throws -> [FoundSystem] {
        try texts(api.inspect_os(handle)).sorted().map { root in
            func word(_ value: @autoclosure () -> UnsafeMutablePointer<CChar>?) throws -> String {
                do {
                    let answer = try text(value())
                    return answer == "unknown" ? "" : answer
                } catch is GuestfsError {
                    return ""  // Some systems lack some of the values.
                }
            }
            let major = api.inspect_get_major_version(handle, root)
            let minor = api.inspect_get_minor_version(handle, root)
            let points = try pairs(api.inspect_get_mountpoints(handle, root))
            return FoundSystem(
                root: root,
                system: GuestSystem(
                    kind: try word(api.inspect_get_type(handle, root)),
                    distribution: try word(api.inspect_get_distro(handle, root)),
                    name: try word(api.inspect_get_product_name(handle, root)),
                    version: major <= 0 ? "" : minor > 0 ? "\(major).\(minor)" : "\(major)",
                    architecture: try word(api.inspect_get_arch(handle, root)),
                    hostName: try word(api.inspect_get_hostname(handle, root)),
                    packageFormat: try word(api.inspect_get_package_format(handle, root)),
                    packageManagement: try word(api.inspect_get_package_management(handle, root))),
                mountPoints: points.map { (path: $0.key, device: $0.value) }
                    .sorted { ($0.path.count, $0.path) < ($1.path.count, $1.path) })
        }
    }

    /// Mounts a system as it mounts itself. A file system other than the root that cannot be mounted is a warning.
    ///
    /// - Returns: The mount points in use.
    @discardableResult
    package func mount(
        _ found: FoundSystem, isReadOnly: Bool, warn: (String) -> Void
    ) throws -> [(path: String, device: String)] {
        try unmountAll()
        var mounted: [(path: String, device: String)] = []
        for point in found.mountPoints {
            do {
                try mount(point.device, at: point.path, isReadOnly: isReadOnly)
                mounted.append(point)
            } catch let error as GuestfsError where point.path != "/" {
                warn("\(point.path) (\(point.device)) could not be mounted and is not changed: \(error.text)")
            }
        }
        return mounted
    }

    /// The packages of the mounted system.
    package func packages(of found: FoundSystem) throws -> [InstalledPackage] {
        let limit = 64 << 20
        if found.system.packageFormat == "deb", let status = try bytes(of: "/var/lib/dpkg/status", limit: limit) {
            return InstalledPackage.readDpkgStatus(status)
        }
        if found.system.packageFormat == "apk" {
            // The path since apk-tools 3.
            for path in ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"] {
                if let database = try bytes(of: path, limit: limit) {
                    return InstalledPackage.readApkDatabase(database)
                }
            }
        }
        return try structure(
            api.inspect_list_applications2(handle, found.root), free: { api.free_application2_list($0) }
        ) { list in
            (0..<Int(list.len)).compactMap { index in list.val.map { InstalledPackage($0[index]) } }
        }
    }

    func report(_ found: FoundSystem, packages: [InstalledPackage]) throws -> SystemReport {
        var kernels: [String] = []
        if try found.system.isLinux && isFolder("/lib/modules") { kernels = try names(in: "/lib/modules") }
        let users = found.system.kind == "windows" ? [] : try users()
        return SystemReport(
            system: found.system, root: found.root, kernels: kernels.sorted(), users: users,
            packageCount: packages.count, packages: packages)
    }

    /// The accounts that have a password or an authorised key.
    private func users() throws -> [UserReport] {
        let passwords = PasswordState.read(try contents("/etc/shadow") ?? "")
        return try accounts().compactMap { account in
            var keys: [String] = []
            for path in keyFiles(of: account) { keys += AuthorizedKeys(text: try contents(path) ?? "").names }
            let password = passwords[account.name] ?? .none
            return password == .none && keys.isEmpty
                ? nil : UserReport(name: account.name, password: password, authorizedKeys: keys)
        }
    }

    func accounts() throws -> [Account] {
        // A hostile list of users must not keep the appliance busy for hours.
        Array(Account.read(try contents("/etc/passwd") ?? "").prefix(1000))
    }

    func keyFiles(of account: Account) -> [String] {
        guard account.home.hasPrefix("/") else { return [] }
        let home = account.home == "/" ? "" : account.home
        return [
            "\(home)/.ssh/authorized_keys", "\(home)/.ssh/authorized_keys2", "/etc/ssh/authorized_keys/\(account.name)",
            "/etc/ssh/authorized_keys.d/\(account.name)",
        ]
    }

    /// The disks and how firmware starts from them.
    func diskReports() throws -> [DiskReport] {
        try disks().map { disk in
            var report = DiskReport(device: disk, size: try size(of: disk), partitionTable: nil, boot: [])
            do {
                let table = try partitionTable(of: disk)
                report.partitionTable = table
                for partition in try partitions(of: disk) {
                    if table == "gpt" {
                        let type = try partitionType(partition, of: disk)
                        if type == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" { report.boot.append(.efi) }
                        if type == "21686148-6449-6E6F-744E-656564454649" { report.boot.append(.bios) }
                    } else if table == "msdos", try partitionIdentifier(partition, of: disk) == 0xef {
                        report.boot.append(.efi)
                    }
                }
                // Without a boot loader the area before the disk's signature is empty.
                if table == "msdos", try bytes(ofDevice: disk, count: 440).contains(where: { $0 != 0 }) {
                    report.boot.append(.bios)
                }
            } catch is GuestfsError {
                // The disk has no partitions.
            }
            return report
        }
    }

    func reports(
        on fileSystems: [(device: String, kind: String)], mounted: [String: (path: String, used: Int64)]
    ) throws -> [FileSystemReport] {
        try fileSystems.map { device, kind in
            func word(_ value: (String) throws -> String) throws -> String {
                do { return try value(device) } catch is GuestfsError { return "" }
            }
            var size: Int64 = 0
            // A Btrfs subvolume is not a device.
            do { size = try self.size(of: device) } catch is GuestfsError {}
            return FileSystemReport(
                device: device, kind: kind, size: size, label: try word(label), identifier: try word(identifier),
                mountPoint: mounted[device]?.path, used: mounted[device]?.used)
        }
    }
}

extension InstalledPackage {
    init(_ application: guestfs_application2) {
        func word(_ pointer: UnsafeMutablePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        let release = word(application.app2_release)
        let version = word(application.app2_version) + (release.isEmpty ? "" : "-" + release)
        func optional(_ pointer: UnsafeMutablePointer<CChar>?) -> String? {
            let text = word(pointer)
            return text.isEmpty ? nil : text
        }
        self.init(
            name: word(application.app2_name),
            version: application.app2_epoch > 0 ? "\(application.app2_epoch):\(version)" : version,
            architecture: word(application.app2_arch), source: optional(application.app2_source_package),
            maintainer: optional(application.app2_publisher), summary: optional(application.app2_summary),
            homepage: optional(application.app2_url))
    }
}
