/// The init system of a guest.
enum InitSystem: String, Sendable {
    case systemd, openrc, sysv
}

extension Guestfs {
    /// The init system of the mounted system; nil if it is not known.
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
                ? "Windows can only be generalised from inside: run sysprep /generalize /oobe as the last provisioner"
                : "this kind of system (\(system.kind)) is not known"
            journal.warn("nothing was generalised: \(reason).")
            return
        }
        if system.family == .otherLinux {
            journal.warn(
                "\(system.distribution.isEmpty ? "this Linux" : system.distribution) is not a known Linux distribution: the "
                    + "common parts were generalised, but not package caches and other parts of its own.")
        }
        let kept = wanted.parts.contains(.sshHostKeys) ? try keptHostKeys(&journal) : []
        for rule in cleaningRules(for: system.family, wanted.parts) where !kept.contains(where: rule.pattern.hasPrefix)
        {
            try carryOut(rule, &journal)
        }
        if wanted.parts.contains(.logs) { try cleanLogs(&journal) }
        for pattern in wanted.removedPaths {
            guard pattern.hasPrefix("/") else {
                journal.warn("\(pattern) was not removed: paths in the guest must begin with a slash.")
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
                // The target of a link has a rule of its own.
                guard try !isLink(path), try isFile(path) else { continue }
                try truncate(path)
                journal.emptied.append(path)
            case .removeLines(let beginnings):
                guard let text = try wholeText(path, &journal) else { continue }
                let kept = text.lines.filter { line in
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
        // Folders named after the machine ID.
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
            guard let text = try wholeText(path, &journal), let rest = AuthorizedKeys(text: text).removing(keys) else {
                continue
            }
            if rest.isBlank {
                try remove(path)
                journal.removed.append(path)
            } else {
                try write(rest.text, to: path)
                journal.changed.append(path)
            }
        }
    }
}
