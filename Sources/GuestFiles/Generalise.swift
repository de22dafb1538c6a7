/// What a system starts its services with.
enum InitSystem: String, Sendable {
    case systemd, openrc, sysv
}

extension Guestfs {
    /// How the mounted system starts, nil where it is none of the known ways.
    func initSystem() throws -> InitSystem? {
        for path in ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"] where try exists(path) { return .systemd }
        for path in ["/sbin/openrc-run", "/usr/sbin/openrc-run"] where try exists(path) { return .openrc }
        for path in ["/etc/rc3.d", "/etc/rc.d/rc3.d"] where try isFolder(path) { return .sysv }
        return nil
    }

    /// Carries out a generalisation on the mounted system.
    package func generalise(_ system: GuestSystem, _ wanted: Generalisation, _ journal: inout FinishJournal) throws {
        guard system.isLinux else {
            let reason =
                system.family == .windows
                ? "Windows can only generalise itself: run sysprep /generalize /oobe as the last provisioner"
                : "this kind of system (\(system.kind)) is not known"
            journal.warn("nothing was generalised: \(reason).")
            return
        }
        if system.family == .otherLinux {
            journal.warn(
                "\(system.distribution.isEmpty ? "this Linux" : system.distribution) is not a known kind of Linux: what all "
                    + "have in common was generalised; package caches and what else is its own were not.")
        }
        var parts = wanted.parts
        if parts.contains(.sshHostKeys), try !hostKeysWillBeMade(system, &journal) { parts.remove(.sshHostKeys) }
        for rule in cleaningRules(for: system.family, parts) { try carryOut(rule, &journal) }
        if parts.contains(.logs) { try cleanLogs(&journal) }
        for pattern in wanted.removedPaths {
            guard pattern.hasPrefix("/") else {
                journal.warn("\(pattern) was not removed: paths in the guest begin with a slash.")
                continue
            }
            for path in try glob(pattern) { try removing(path, &journal) }
        }
        if !wanted.removedKeys.isEmpty { try removeKeys(wanted.removedKeys, &journal) }
    }

    private func removing(_ path: String, _ journal: inout FinishJournal) throws {
        do {
            try remove(path)
            journal.removed.append(path)
        } catch let error as GuestfsError {
            journal.warn("\(path) could not be removed: \(error.text)")
        }
    }

    private func carryOut(_ rule: CleaningRule, _ journal: inout FinishJournal) throws {
        for path in try glob(rule.pattern) {
            switch rule.action {
            case .remove: try removing(path, &journal)
            case .removeFile: if try !isLink(path) { try removing(path, &journal) }
            case .empty:
                // Of a link to it, the other file's own rule takes care.
                guard try !isLink(path), try isFile(path) else { continue }
                try truncate(path)
                journal.emptied.append(path)
            case .removeLines(let beginnings):
                guard let text = try contents(path) else { continue }
                let kept = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
                    !beginnings.contains { line.drop { $0 == " " }.hasPrefix($0) }
                }.joined(separator: "\n")
                guard kept != text else { continue }
                try write(kept, to: path)
                journal.changed.append(path)
            }
        }
    }

    private func cleanLogs(_ journal: inout FinishJournal) throws {
        guard try isFolder("/var/log") else { return }
        // Folders named after the machine.
        for path in try glob("/var/log/journal/*") { try removing(path, &journal) }
        for (name, status) in try files(below: "/var/log") {
            let path = "/var/log/" + name
            switch LogFate(name) {
            case .keep: break
            case .remove: try removing(path, &journal)
            case .empty where status.size > 0:
                try truncate(path)
                journal.emptied.append(path)
            case .empty: break
            }
        }
    }

    private func removeKeys(_ keys: [String], _ journal: inout FinishJournal) throws {
        var files = try accounts().flatMap(keyFiles)
        // Homes of users that are not listed in /etc/passwd.
        for pattern in ["/root/.ssh/authorized_keys*", "/home/*/.ssh/authorized_keys*"] { files += try glob(pattern) }
        var seen: Set<String> = []
        for path in files where seen.insert(path).inserted {
            guard let text = try contents(path), let rest = AuthorizedKeys(text: text).removing(keys) else { continue }
            if rest.isBlank {
                try remove(path)
                journal.removed.append(path)
            } else {
                try write(rest.text, to: path)
                journal.changed.append(path)
            }
        }
    }

    /// Whether the machine will have host keys when it starts. Where its SSH service does not see to that by itself, a unit
    /// that does is added; without it nobody could log in any more.
    private func hostKeysWillBeMade(_ system: GuestSystem, _ journal: inout FinishJournal) throws -> Bool {
        guard try exists("/usr/bin/ssh-keygen") || exists("/usr/bin/dropbearkey") else { return true }
        // Units that make them are not enough: Debian's own waits for a first boot as systemd understands it, which an
        // empty machine-id is not, and cloud-init may find itself without a data source.
        for folder in ["/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system"] {
            for unit in ["ssh.service", "sshd.service"] {
                let text = try contents("\(folder)/\(unit)") ?? ""
                if ["keygen", "genkeys", "gen-keys"].contains(where: text.contains) { return true }
            }
        }
        switch try initSystem() {
        case .systemd:
            try install(.hostKeys, &journal)
            journal.note("SSH host keys are made at the first start, by \(FirstBootUnit.hostKeys.name).service.")
            return true
        case .openrc, .sysv:
            for path in ["/etc/init.d/sshd", "/etc/init.d/ssh", "/etc/rc.d/init.d/sshd"] {
                if try contents(path)?.contains("ssh-keygen") == true { return true }
            }
            if try exists("/etc/init.d/dropbear") { return true }
            fallthrough
        case nil:
            journal.warn(
                "the SSH host keys were kept: nothing in this system would make new ones, and nobody could log in. "
                    + "Install cloud-init, or remove /etc/ssh/ssh_host_* in a first-boot script that makes new ones.")
            return false
        }
    }
}
