import Foundation

/// What to add to a system.
package struct Injection: Sendable {
    /// A file, owned by root.
    package struct File: Sendable {
        /// Where the content comes from.
        package enum Content: Sendable {
            case bytes([UInt8])
            /// A file of this host.
            case file(String)
        }
        /// The absolute path in the guest; missing folders are created.
        package var path: String
        /// The content of the file.
        package var content: Content
        /// The permissions.
        package var mode: Int32

        package init(path: String, content: Content, mode: Int32 = 0o644) {
            self.path = path
            self.content = content
            self.mode = mode
        }
    }

    /// What happens to the host name.
    package enum HostName: Sendable, Hashable {
        case keep, clear
        case set(String)
    }

    /// The files to write.
    package var files: [File]
    /// Scripts with their first line (`#!/bin/sh`), run once in this order when the machine first starts.
    package var firstBootScripts: [String]
    /// What happens to the host name.
    package var hostName: HostName
    /// Users with the keys they may log in with.
    package var authorizedKeys: [(user: String, key: String)]
    /// The data sources of cloud-init, such as `NoCloud`, `ConfigDrive`; nil to leave them as they are.
    package var cloudInitDatasources: [String]?

    package init(
        files: [File] = [], firstBootScripts: [String] = [], hostName: HostName = .keep,
        authorizedKeys: [(user: String, key: String)] = [], cloudInitDatasources: [String]? = nil
    ) {
        self.files = files
        self.firstBootScripts = firstBootScripts
        self.hostName = hostName
        self.authorizedKeys = authorizedKeys
        self.cloudInitDatasources = cloudInitDatasources
    }
}

/// /etc/hosts after a change of the host name: lines with the old name are removed or get the new one.
package func renameHost(inHosts text: String, from old: String, to new: String?) -> String {
    guard !old.isEmpty, old != "localhost" else { return text }
    let short = old.prefix { $0 != "." }
    let lines = text.lines.compactMap { line -> String? in
        let code = line.prefix { $0 != "#" }
        let words = code.split { $0 == " " || $0 == "\t" }
        guard words.dropFirst().contains(where: { $0 == old || $0 == short }), let address = words.first else {
            return String(line)
        }
        var names = words.dropFirst().filter { $0 != old && $0 != short }.map(String.init)
        if let new {
            let newShort = String(new.prefix { $0 != "." })
            names += new == newShort ? [new] : [new, newShort]
        }
        return names.isEmpty ? nil : "\(address)\t\(names.joined(separator: " "))"
    }
    return lines.joined(separator: "\n")
}

/// Whether a host name is valid: letters, digits and hyphens in labels of at most 63 characters, as in hostnamectl.
package func isHostName(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return name.utf8.count <= 64
        && parts.allSatisfy { part in
            (1...63).contains(part.utf8.count) && part.first != "-" && part.last != "-"
                && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        }
}

extension Guestfs {
    /// Adds everything to the mounted system.
    package func inject(_ system: GuestSystem, _ wanted: Injection, _ journal: inout FinishJournal) throws {
        for file in wanted.files { try inject(file, &journal) }
        guard system.isLinux else {
            journal.warn("only files can be added to a system that is not Linux; the rest was skipped.")
            return
        }
        try setHostName(wanted.hostName, of: system, &journal)
        for (user, key) in wanted.authorizedKeys { try authorize(key, for: user, &journal) }
        if let names = wanted.cloudInitDatasources { try setDatasources(names, &journal) }
        if !wanted.firstBootScripts.isEmpty, try install(.scripts, &journal) {
            try makeFolders("/usr/local/sbin")
            try place(FirstBootUnit.runnerText, at: FirstBootUnit.runner, mode: 0o755, &journal)
            try makeFolders(FirstBootUnit.scriptFolder)
            // Scripts may contain secrets.
            try setMode(0o700, of: FirstBootUnit.scriptFolder)
            for (index, script) in wanted.firstBootScripts.enumerated() {
                let number = String(repeating: "0", count: max(0, 3 - "\(index)".count)) + "\(index)"
                try place(script, at: "\(FirstBootUnit.scriptFolder)/\(number)", mode: 0o700, &journal)
            }
        }
    }

    private func inject(_ file: Injection.File, _ journal: inout FinishJournal) throws {
        guard file.path.hasPrefix("/"), let slash = file.path.lastIndex(of: "/") else {
            throw GuestfsError(text: "write: \(file.path): paths in the guest must begin with a slash", number: 0)
        }
        let folder = String(file.path[..<slash])
        if !folder.isEmpty { try makeFolders(folder) }
        switch file.content {
        case .bytes(let bytes): try write(bytes, to: file.path)
        case .file(let path): try upload(path, to: file.path)
        }
        try setOwner(0, group: 0, of: file.path)
        try setMode(file.mode & 0o7777, of: file.path)
        journal.added.append(file.path)
    }

    private func setHostName(
        _ policy: Injection.HostName, of system: GuestSystem, _ journal: inout FinishJournal
    ) throws {
        let new: String?
        switch policy {
        case .keep: return
        case .clear: new = nil
        case .set(let name): new = name
        }
        if let new, !isHostName(new) {
            throw GuestfsError(text: "hostname: \(new.debugDescription) is not a host name", number: 0)
        }
        let old = (try contents("/etc/hostname") ?? "").split(whereSeparator: \.isWhitespace).first.map(String.init)
        // A new file needs its SELinux label.
        if try !exists("/etc/hostname"), new != nil { journal.added.append("/etc/hostname") }
        if let new {
            try write(new + "\n", to: "/etc/hostname")
        } else if try initSystem() == .systemd {
            // Without the file the name comes from the network, or else is "localhost".
            try remove("/etc/hostname")
        } else {
            try write("localhost\n", to: "/etc/hostname")
        }
        journal.changed.append("/etc/hostname")
        if let text = try wholeText("/etc/hosts", &journal) {
            let renamed = renameHost(inHosts: text, from: old ?? system.hostName, to: new)
            if renamed != text {
                try write(renamed, to: "/etc/hosts")
                journal.changed.append("/etc/hosts")
            }
        }
    }

    private func authorize(_ key: String, for user: String, _ journal: inout FinishJournal) throws {
        let line = key.split(whereSeparator: \.isNewline).first ?? ""
        guard AuthorizedKeys.key(of: line) != nil else {
            throw GuestfsError(text: "authorized_keys: the key for \(user) is not a public key", number: 0)
        }
        guard let account = try accounts().first(where: { $0.name == user }), account.home.hasPrefix("/") else {
            throw GuestfsError(text: "authorized_keys: the guest has no user \(user)", number: 0)
        }
        let folder = (account.home == "/" ? "" : account.home) + "/.ssh"
        if try !isFolder(folder) {
            try makeFolders(folder)
            try setOwner(account.owner, group: account.group, of: folder)
            try setMode(0o700, of: folder)
            journal.added.append(folder)
        }
        let path = folder + "/authorized_keys"
        guard let text = try wholeText(path, &journal) else { return }
        try write(AuthorizedKeys(text: text).adding(String(line)).text, to: path)
        try setOwner(account.owner, group: account.group, of: path)
        try setMode(0o600, of: path)
        journal.added.append(path)
    }

    private func setDatasources(_ names: [String], _ journal: inout FinishJournal) throws {
        guard try exists("/usr/bin/cloud-init") || isFolder("/etc/cloud") else {
            journal.warn("cloud-init is not installed in this system, so its data sources were not set.")
            return
        }
        // Ubuntu's installer leaves these files, which disable all other sources.
        for path in [
            "/etc/cloud/cloud-init.disabled", "/etc/cloud/cloud.cfg.d/99-installer.cfg",
            "/etc/cloud/cloud.cfg.d/subiquity-disable-cloudinit-networking.cfg",
        ] where try exists(path) {
            try remove(path)
            journal.removed.append(path)
        }
        let safe = names.map { $0.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") } }
        try makeFolders("/etc/cloud/cloud.cfg.d")
        try place(
            "datasource_list: [ \(safe.joined(separator: ", ")) ]\n",
            at: "/etc/cloud/cloud.cfg.d/99_ingot_datasource.cfg",
            mode: 0o644, &journal)
    }

    /// Gives the added files their SELinux labels; without them the system could not use the files.
    func relabelAdded(since count: Int, _ journal: inout FinishJournal) throws {
        let added = journal.added.dropFirst(count)
        guard !added.isEmpty, let settings = try contents("/etc/selinux/config") else { return }
        func value(_ name: String) -> String? {
            settings.split(whereSeparator: \.isNewline).last { $0.hasPrefix(name + "=") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
        guard value("SELINUX") != "disabled", let policy = value("SELINUXTYPE") else { return }
        let contexts = "/etc/selinux/\(policy)/contexts/files/file_contexts"
        guard try exists(contexts) else { return }
        do {
            guard try has("selinuxrelabel") else { throw GuestfsError(text: "not in this appliance", number: 0) }
            for path in added { try relabel(path, by: contexts) }
        } catch let error as GuestfsError {
            try touch("/.autorelabel")
            journal.warn(
                "the system will label its files for SELinux at its first start, and then restart: \(error.text)")
        }
    }
}
