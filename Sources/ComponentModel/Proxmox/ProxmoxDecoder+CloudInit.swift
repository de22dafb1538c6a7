import CCrypt
import ProxmoxConfiguration
import Scopes

extension ProxmoxDecoder {
    /// The drive, if it is asked for, or anything that would be on it.
    mutating func cloudInit() {
        let options = [
            "cloud_init_user", "cloud_init_password", "cloud_init_ssh_keys", "cloud_init_ssh_key_files", "ipconfig",
            "nameserver", "searchdomain", "cloud_init_storage_pool", "cloud_init_disk_type", "cloud_init_type",
            "cloud_init_disable_upgrade_packages",
        ]
        let given = options.filter(reader.isGiven)
        guard reader.bool("cloud_init") || !given.isEmpty else { return }
        if let first = given.first, reader.isGiven("cloud_init"), !reader.bool("cloud_init"),
            !reader.isUndecided("cloud_init")
        {
            reader.error(
                "exclusive-options", "cloud_init is false, and \(first) is for its drive", "Remove one of them.",
                at: first)
            return
        }
        var drive = MachineConfiguration.CloudInit()
        let type = reader.choice("cloud_init_disk_type")
        drive.slot = freeSlot(type.flatMap(DriveSlot.Bus.init) ?? .ide)
        drive.storage = reader.text("cloud_init_storage_pool")
        drive.kind = reader.choice("cloud_init_type").flatMap(MachineConfiguration.CloudInit.Kind.init)
        drive.user = reader.text("cloud_init_user")
        drive.password = password()
        drive.sshKeys = reader.strings("cloud_init_ssh_keys").filter { !$0.isEmpty } + keysOfFiles()
        drive.addresses = reader.blocks("ipconfig").map {
            MachineConfiguration.Address(
                ip: $0.text("ip"), gateway: $0.text("gateway"), ip6: $0.text("ip6"), gateway6: $0.text("gateway6"))
        }
        // Without an address the guest's network is not set up at all.
        if drive.addresses.isEmpty { drive.addresses = settings.machine.networks.prefix(1).map { _ in .dhcp } }
        drive.nameservers = Self.words(reader.text("nameserver"))
        drive.searchDomains = Self.words(reader.text("searchdomain"))
        if reader.isGiven("cloud_init_disable_upgrade_packages") {
            drive.upgradesPackages = !reader.bool("cloud_init_disable_upgrade_packages")
        }
        settings.machine.cloudInit = drive
    }

    private static func words(_ text: String?) -> [String] {
        (text ?? "").split { ", ;".contains($0) }.map(String.init)
    }

    /// Where the server's own dialogue puts it, if that is free.
    private func freeSlot(_ bus: DriveSlot.Bus) -> DriveSlot {
        let taken = Set(settings.machine.disks.map(\.slot))
        let places = bus == .ide ? [2, 3, 0, 1] : Array(0..<bus.count)
        let free = places.map { DriveSlot(bus: bus, index: $0) }.first { !taken.contains($0) }
        return free ?? DriveSlot(bus: bus, index: 0)
    }

    /// Only a hash leaves this machine.
    private mutating func password() -> Sensitive<String>? {
        guard let text = reader.text("cloud_init_password") else { return nil }
        if context.isOpen(text) || MachineConfiguration.isHash(text) { return Sensitive(text) }
        guard let hash = sha512Crypt(text) else {
            reader.error(
                "no-hash", "cloud_init_password cannot be hashed", "Give the hash that `openssl passwd -6` makes.",
                at: "cloud_init_password")
            return nil
        }
        return Sensitive(hash)
    }

    /// A key for each line that is not a comment.
    private mutating func keysOfFiles() -> [String] {
        var keys: [String] = []
        for (index, path) in reader.strings("cloud_init_ssh_key_files").enumerated() where !context.isOpen(path) {
            let known = reader.diagnostics.count
            reader.requireFile(path, "cloud_init_ssh_key_files", context, element: index)
            guard reader.diagnostics.count == known else { continue }
            // What cannot be read is reported by `requireFile`; what is longer holds no keys.
            let bytes = (try? context.files.read(context.absolute(path), limit: 256 << 10)) ?? []
            let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
                .map { String($0) }.filter { !$0.hasPrefix("#") && !$0.allSatisfy(\.isWhitespace) }
            if lines.isEmpty || !lines.allSatisfy(MachineConfiguration.isPublicKey) {
                reader.error(
                    "no-public-key",
                    "“\(path)”, given by cloud_init_ssh_key_files, holds something else than public keys",
                    lines.contains { $0.contains("PRIVATE KEY") }
                        ? "It is a private key; name the file beside it that ends in .pub."
                        : "Each line is to be a key in OpenSSH's form, such as `ssh-ed25519 AAAA… name`.",
                    at: "cloud_init_ssh_key_files", element: index)
                continue
            }
            keys += lines
        }
        return keys
    }
}

/// crypt(5)'s `$6$`, with a salt of its own each time; nil if this system's libcrypt does not have it.
private func sha512Crypt(_ text: String) -> String? {
    let alphabet = Array("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    let setting = "$6$" + String((0..<16).compactMap { _ in alphabet.randomElement() })
    let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
    data.initialize(to: crypt_data())
    defer { data.deallocate() }
    return crypt_r(text, setting, data).map { String(cString: $0) }.flatMap { $0.hasPrefix("$6$") ? $0 : nil }
}
