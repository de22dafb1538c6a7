/// An SSH server that needs host keys.
package struct SSHServer {
    var name: String
    /// Paths of the program, or of configuration files that only it has.
    var traces: [String]
    /// The prefix of the paths of its host keys.
    var keys: String
    /// Its services, without ".service".
    var services: [String]
    /// Text in the files of a service that makes the keys.
    var makers: [String]
    /// The server's own option that makes missing keys.
    var flag: String?
    /// Further files with options of the service.
    var options: [String]
    /// The program that `unit` runs.
    var generator: String
    var unit: FirstBootUnit

    /// OpenSSH.
    package static let openSSH = SSHServer(
        name: "OpenSSH", traces: ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd", "/etc/ssh/sshd_config"],
        keys: "/etc/ssh/ssh_host_", services: ["ssh", "sshd"], makers: ["keygen", "genkeys", "gen-keys"], options: [],
        generator: "/usr/bin/ssh-keygen", unit: .hostKeys)

    /// Dropbear.
    package static let dropbear = SSHServer(
        name: "Dropbear", traces: ["/usr/sbin/dropbear", "/usr/bin/dropbear", "/usr/local/sbin/dropbear"],
        keys: "/etc/dropbear/", services: ["dropbear"], makers: ["keygen", "dropbearkey"],
        // With it the server makes a missing key at the first connection.
        flag: "-R", options: ["/etc/default/dropbear", "/etc/conf.d/dropbear"],
        generator: "/usr/bin/dropbearkey", unit: .dropbearKeys)

    /// Whether a service whose files contain this text makes missing keys.
    package func makesKeys(_ text: String) -> Bool {
        text.split(whereSeparator: \.isNewline).contains { line in
            guard line.first(where: { $0 != " " && $0 != "\t" }) != "#" else { return false }
            if makers.contains(where: line.contains) { return true }
            // Other commands of a script have the same option.
            guard let flag, ["ExecStart=", "args=", "ARGS=", "OPTS="].contains(where: line.contains) else {
                return false
            }
            return line.split { !$0.isLetter && !$0.isNumber && $0 != "-" }.contains { $0 == flag }
        }
    }
}

extension Guestfs {
    /// The path prefixes of host keys that must be kept, because nothing would make new ones and logins would fail.
    ///
    /// Adds a unit that makes new keys, if possible, for servers that do not make them by themselves.
    func keptHostKeys(_ journal: inout FinishJournal) throws -> [String] {
        let system = try initSystem()
        return try [SSHServer.openSSH, .dropbear].filter { server in
            try server.traces.contains(where: exists) && !willHaveKeys(server, system, &journal)
        }.map(\.keys)
    }

    private func willHaveKeys(
        _ server: SSHServer, _ system: InitSystem?, _ journal: inout FinishJournal
    ) throws -> Bool {
        // Other units that make keys are not enough: Debian's runs only at what systemd considers a first boot, which an
        // empty machine-id is not, and cloud-init may not find a data source.
        let folders: [String]
        switch system {
        case .systemd: folders = ["/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system"]
        case .openrc, .sysv: folders = ["/etc/init.d", "/etc/rc.d/init.d"]
        case nil: folders = []
        }
        let ending = system == .systemd ? ".service" : ""
        let files = folders.flatMap { folder in server.services.map { "\(folder)/\($0)\(ending)" } }
        for path in folders.isEmpty ? [] : files + server.options {
            if server.makesKeys(try contents(path) ?? "") { return true }
        }
        if system == .systemd, try exists(server.generator) {
            try install(server.unit, &journal)
            journal.note("SSH host keys are made at the first start, by \(server.unit.name).service.")
            return true
        }
        journal.warn(
            "\(server.name)'s host keys were kept: nothing in this system would make new ones, and logins would fail. "
                + "Remove \(server.keys)* in a first-boot script that makes new ones.")
        return false
    }
}
