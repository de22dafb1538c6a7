/// A service that runs at the first start, and its files for each init system.
package struct FirstBootUnit {
    var name: String
    var summary: String
    var command: String
    /// Services that start after it.
    var before: [String] = []
    /// Whether it starts once the network is up.
    var needsNetwork = false
    /// The service is skipped if this pattern matches a file.
    var unlessExists: String?

    /// Makes the host keys of OpenSSH.
    package static let hostKeys = FirstBootUnit(
        name: "ingot-ssh-host-keys", summary: "Create the SSH host keys", command: "/usr/bin/ssh-keygen -A",
        before: ["ssh.service", "sshd.service"], unlessExists: "/etc/ssh/ssh_host_*_key")

    /// Dropbear's tool makes one key per call; an old one knows fewer types.
    package static let dropbearKeys = FirstBootUnit(
        name: "ingot-dropbear-host-keys", summary: "Create Dropbear's host keys",
        command: "/bin/sh -c '"
            + ["rsa", "ecdsa", "ed25519"].map {
                "/usr/bin/dropbearkey -t \($0) -f /etc/dropbear/dropbear_\($0)_host_key"
            }.joined(separator: "; ") + "'",
        before: ["dropbear.service"], unlessExists: "/etc/dropbear/*_host_key")

    static let scripts = FirstBootUnit(
        name: "ingot-first-boot", summary: "Run the first-boot scripts", command: runner, needsNetwork: true)

    /// The program that runs each script once and then removes itself from the system.
    static let runner = "/usr/local/sbin/ingot-first-boot"
    static let scriptFolder = "/usr/local/lib/ingot-first-boot"

    static let runnerText = """
        #!/bin/sh
        # Runs every script of the folder once, in the order of their names, and is gone after the last.
        folder=\(scriptFolder)
        for script in "$folder"/*; do
            [ -f "$script" ] || continue
            echo "first boot: $script"
            "$script" || echo "first boot: $script ended with status $?"
            rm -f "$script"
        done
        rmdir "$folder"
        rm -f /etc/systemd/system/multi-user.target.wants/ingot-first-boot.service
        rm -f /etc/systemd/system/ingot-first-boot.service
        rm -f /etc/runlevels/default/ingot-first-boot /etc/rc[2-5].d/S99ingot-first-boot
        rm -f /etc/rc.d/rc[2-5].d/S99ingot-first-boot /etc/init.d/ingot-first-boot "$0"

        """

    /// The unit file for systemd.
    package var systemdText: String {
        var lines = ["[Unit]", "Description=\(summary)"]
        if needsNetwork { lines += ["Wants=network-online.target", "After=network-online.target"] }
        if !before.isEmpty { lines.append("Before=" + before.joined(separator: " ")) }
        if let unlessExists { lines.append("ConditionPathExistsGlob=!" + unlessExists) }
        lines += ["", "[Service]", "Type=oneshot", "ExecStart=" + command]
        if needsNetwork { lines += ["TimeoutStartSec=infinity", "StandardOutput=journal+console"] }
        lines += ["", "[Install]", "WantedBy=multi-user.target", ""]
        return lines.joined(separator: "\n")
    }

    var openRCText: String {
        """
        #!/sbin/openrc-run
        description="\(summary)"
        depend() {
            \(needsNetwork ? "need localmount\n    after net" : "need localmount")
        }
        start() {
            ebegin "\(summary)"
            \(command)
            eend $?
        }

        """
    }

    var sysVText: String {
        """
        #!/bin/sh
        ### BEGIN INIT INFO
        # Provides:          \(name)
        # Required-Start:    $local_fs\(needsNetwork ? " $network" : "")
        # Required-Stop:
        # Default-Start:     2 3 4 5
        # Default-Stop:
        # Short-Description: \(summary)
        ### END INIT INFO
        [ "$1" = start ] && exec \(command)
        exit 0

        """
    }
}

extension Guestfs {
    /// Adds a service that runs at the next start.
    ///
    /// - Returns: false if the init system is not known.
    @discardableResult
    func install(_ unit: FirstBootUnit, _ journal: inout FinishJournal) throws -> Bool {
        let folder = "/etc/systemd/system"
        switch try initSystem() {
        case .systemd:
            try makeFolders("\(folder)/multi-user.target.wants")
            try place(unit.systemdText, at: "\(folder)/\(unit.name).service", mode: 0o644, &journal)
            try link("\(folder)/multi-user.target.wants/\(unit.name).service", to: "\(folder)/\(unit.name).service")
        case .openrc:
            for folder in ["/etc/init.d", "/etc/runlevels/default"] { try makeFolders(folder) }
            try place(unit.openRCText, at: "/etc/init.d/\(unit.name)", mode: 0o755, &journal)
            try link("/etc/runlevels/default/\(unit.name)", to: "/etc/init.d/\(unit.name)")
        case .sysv:
            try makeFolders("/etc/init.d")
            try place(unit.sysVText, at: "/etc/init.d/\(unit.name)", mode: 0o755, &journal)
            let base = try isFolder("/etc/rc3.d") ? "/etc" : "/etc/rc.d"
            for level in 2...5 where try isFolder("\(base)/rc\(level).d") {
                try link("\(base)/rc\(level).d/S99\(unit.name)", to: "/etc/init.d/\(unit.name)")
            }
        case nil:
            journal.warn("\(unit.name) was not added: the init system is not known.")
            return false
        }
        return true
    }

    /// Writes a file owned by root.
    func place(_ text: String, at path: String, mode: Int32, _ journal: inout FinishJournal) throws {
        try write(text, to: path)
        try setOwner(0, group: 0, of: path)
        try setMode(mode, of: path)
        journal.added.append(path)
    }
}
