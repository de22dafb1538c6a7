/// A server that needs host keys, and what is known of it.
package struct SSHServer {
    var name: String
    /// Where the program, or a configuration that only it has, is found.
    var traces: [String]
    /// How its host keys' paths begin.
    var keys: String
    /// Its services, without ".service".
    var services: [String]
    /// What the files of a service hold that makes the keys.
    var makers: [String]
    /// The server's own option for that.
    var flag: String?
    /// Where a service's options are kept besides.
    var options: [String]
    /// The program that `unit` runs.
    var generator: String
    var unit: FirstBootUnit

    package static let openSSH = SSHServer(
        name: "OpenSSH", traces: ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd", "/etc/ssh/sshd_config"],
        keys: "/etc/ssh/ssh_host_", services: ["ssh", "sshd"], makers: ["keygen", "genkeys", "gen-keys"], options: [],
        generator: "/usr/bin/ssh-keygen", unit: .hostKeys)

    package static let dropbear = SSHServer(
        name: "Dropbear", traces: ["/usr/sbin/dropbear", "/usr/bin/dropbear", "/usr/local/sbin/dropbear"],
        keys: "/etc/dropbear/", services: ["dropbear"], makers: ["keygen", "dropbearkey"],
        // It makes a missing key at the first connection.
        flag: "-R", options: ["/etc/default/dropbear", "/etc/conf.d/dropbear"],
        generator: "/usr/bin/dropbearkey", unit: .dropbearKeys)

    /// Whether a service whose files hold this text makes missing keys.
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
    /// How the paths of host keys begin that must stay: nothing would make new ones, and nobody could log in any more.
    /// Where a server does not see to new keys by itself, a unit that does is added if it can be.
    func keptHostKeys(_ journal: inout FinishJournal) throws -> [String] {
        let system = try initSystem()
        return try [SSHServer.openSSH, .dropbear].filter { server in
            try server.traces.contains(where: exists) && !willHaveKeys(server, system, &journal)
        }.map(\.keys)
    }

    private func willHaveKeys(
        _ server: SSHServer, _ system: InitSystem?, _ journal: inout FinishJournal
    ) throws -> Bool {
        // Units that make them somewhere are not enough: Debian's own waits for a first boot as systemd understands it,
        // which an empty machine-id is not, and cloud-init may find itself without a data source.
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
            "\(server.name)'s host keys were kept: nothing in this system would make new ones, and nobody could log in. "
                + "Remove \(server.keys)* in a first-boot script that makes new ones.")
        return false
    }
}
