import Foundation
import ProxmoxConfiguration
import Scopes

/// Turns the options of the post-processor `proxmox` into settings. The server may also come from the environment, in the
/// variables of Packer's plugin.
enum ProxmoxUploadDecoder {
    static func decode(_ reader: inout OptionReader, _ context: ComponentContext) -> ProxmoxUploadSettings? {
        guard let source = context.source, ProxmoxDecoder.hasImages(source, &reader) else { return nil }
        if source.disk.usesBackingFile {
            reader.error(
                "needs-backing-file", "\(reader.component) needs images without a backing file",
                "Leave use_backing_file out of the source; what a server gets must not depend on a file here.")
        }
        let machine = ProxmoxDecoder.machine(&reader, context, source, isArchive: false)
        let url = needed("proxmox_url", "It is the server, such as \"https://pve.example.com:8006/api2/json\".")
        let username = needed(
            "username", "It is a user with realm, such as \"root@pam\", or an API token, such as \"ingot@pve!build\".")
        func needed(_ name: String, _ detail: String) -> String {
            let variable = variable(name)
            let text = reader.text(name) ?? context.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
            if text == nil, !reader.isUndecided(name) { reader.missing(name, detail + " \(variable) gives it, too.") }
            return text ?? ""
        }
        let token = secret("token", reader, context)
        let password = secret("password", reader, context)
        checkLogin(username, hasToken: token != nil, hasPassword: password != nil, &reader, context)
        checkAddress(url, &reader, context)
        let existing = existing(&reader, context, machine.machine)
        let shell = shell(&reader, context)
        return ProxmoxUploadSettings(
            machine: machine, url: url, username: username, password: password, token: token,
            trust: trust(&reader, context), node: reader.text("node"),
            taskTimeout: reader.duration("task_timeout").flatMap { $0 > .zero ? $0 : nil }, existing: existing,
            delivery: delivery(&reader, hasShell: shell != nil), shell: shell)
    }

    private static func variable(_ name: String) -> String {
        name == "proxmox_url" ? "PROXMOX_URL" : "PROXMOX_" + name.uppercased()
    }

    private static func secret(
        _ name: String, _ reader: OptionReader, _ context: ComponentContext
    ) -> Sensitive<String>? {
        (reader.text(name) ?? context.environment[variable(name)].flatMap { $0.isEmpty ? nil : $0 })
            .map { Sensitive($0) }
    }

    private static func checkLogin(
        _ username: String, hasToken: Bool, hasPassword: Bool, _ reader: inout OptionReader, _ context: ComponentContext
    ) {
        if !hasToken, !hasPassword, !reader.isUndecided("token"), !reader.isUndecided("password") {
            reader.missing(
                "token or password", "PROXMOX_TOKEN or PROXMOX_PASSWORD gives it without writing it into the template.")
        }
        guard !username.isEmpty, !context.isOpen(username), reader.isGiven("username") else { return }
        if hasToken, !username.contains("!") {
            reader.error(
                "invalid-user", "“\(username)” does not name the token",
                "Write user@realm!name, with the name that the token was given, such as \"\(username)!ingot\".",
                at: "username")
        } else if !hasToken, hasPassword, username.contains("!") {
            reader.error(
                "invalid-user", "“\(username)” names a token, which has no password",
                "Write the token's secret as token, or the user as user@realm.", at: "username")
        } else if !username.contains("@") {
            reader.error(
                "invalid-user", "“\(username)” has no realm", "Write \"\(username)@pam\" or \"\(username)@pve\".",
                at: "username")
        }
    }

    private static func checkAddress(_ url: String, _ reader: inout OptionReader, _ context: ComponentContext) {
        guard !context.isOpen(url), !url.isEmpty else { return }
        if url.contains("@") {
            // Not pointed at: the line would be drawn.
            reader.error(
                "secret-in-url", "The server's address holds a user or a password",
                "Give them as username and password, or token.")
            return
        }
        let place = reader.isGiven("proxmox_url") ? "proxmox_url" : nil
        let parts = URLComponents(string: url.contains("://") ? url : "https://" + url)
        if url.contains("://"), parts?.scheme?.lowercased() != "https" {
            reader.error(
                "invalid-url", "“\(url)” is not https", "Proxmox VE answers on https only: write \"https://…\".",
                at: place)
        } else if parts?.host?.isEmpty ?? true || !(1...65535).contains(parts?.port ?? 8006) {
            reader.error(
                "invalid-url", "“\(url)” is not an address of a server",
                "Write it as https://pve.example.com:8006/api2/json.", at: place)
        }
    }

    private static func trust(
        _ reader: inout OptionReader, _ context: ComponentContext
    ) -> ProxmoxUploadSettings.Trust {
        reader.exclude("ca_file", "fingerprint")
        if reader.bool("insecure_skip_tls_verify") {
            for name in ["ca_file", "fingerprint"] { reader.exclude(name, "insecure_skip_tls_verify") }
            reader.warning(
                "unverified-server", "The server's certificate is not checked",
                "Anyone between here and the server can read the secrets and the disks. fingerprint, or ca_file "
                    + "with /etc/pve/pve-root-ca.pem of a node, is as easy.", at: "insecure_skip_tls_verify")
            return .unverified
        }
        if let file = reader.text("ca_file") {
            reader.requireFile(file, "ca_file", context)
            return .authorities(file: file)
        }
        guard let text = reader.text("fingerprint") else { return .system }
        let digits = (text.split(separator: "=").last ?? "").filter { $0 != ":" && $0 != " " }
        if digits.utf8.count != 64 || !digits.allSatisfy(\.isHexDigit), !context.isOpen(text) {
            reader.error(
                "invalid-value", "“\(text)” is not a SHA-256 fingerprint",
                "It has 64 hex digits, with or without colons: openssl x509 -noout -fingerprint -sha256 "
                    + "-in /etc/pve/local/pve-ssl.pem", at: "fingerprint")
        }
        return .fingerprint(text)
    }

    private static func existing(
        _ reader: inout OptionReader, _ context: ComponentContext, _ machine: MachineConfiguration
    ) -> ProxmoxUploadSettings.Existing {
        let keep = reader.int("keep")
        let isGiven = reader.text("existing") != nil
        let word = reader.choice("existing")
        if word != "version", !(isGiven && word == nil), !reader.isUndecided("existing") {
            for name in ["keep", "version_label"] where reader.isGiven(name) {
                reader.error(
                    "needs-version", "\(name) needs existing = \"version\"",
                    "Only versions are kept beside each other.", at: name)
            }
        }
        if let keep, keep < 1 {
            reader.error("invalid-value", "keep would keep nothing", "Write 1 or more; the new one counts.", at: "keep")
        }
        switch word {
        case "version":
            if machine.vmid != nil, reader.isGiven("vm_id") {
                reader.error(
                    "exclusive-options", "Versions cannot all have one vm_id",
                    "Leave vm_id out, so that each takes the next free number.", at: "vm_id")
            }
            let label = reader.text("version_label")
            checkVersion(label, of: machine.name, &reader, context)
            return .version(label: label, keep: keep.map { max(1, $0) })
        case "replace": return .replace(any: context.force)
        // As an output folder, a template of ours gives way to -force; one of somebody else's needs both words.
        default: return context.force && !isGiven ? .replace(any: false) : .refuse
        }
    }

    /// - Parameter label: Nil: the run's time.
    private static func checkVersion(
        _ label: String?, of name: String, _ reader: inout OptionReader, _ context: ComponentContext
    ) {
        let full = name + "-" + (label ?? "20260314-150926")
        // What is wrong with the name itself is reported elsewhere.
        guard !context.isOpen(full), !reader.isUndecided("version_label"), DNSName.problem(name) == nil,
            let problem = DNSName.problem(full)
        else { return }
        let isLabel = reader.isGiven("version_label")
        reader.error(
            "refused-by-proxmox", "Proxmox VE would refuse the name of a version",
            "It is template_name, a dash and \(isLabel ? "version_label" : "the run's time"), and \(problem).",
            at: isLabel ? "version_label" : "existing")
    }

    private static func shell(
        _ reader: inout OptionReader, _ context: ComponentContext
    ) -> ProxmoxUploadSettings.Shell? {
        let options = [
            "ssh_host", "ssh_port", "ssh_username", "ssh_password", "ssh_private_key_file", "ssh_agent_auth",
            "ssh_host_key_fingerprint",
        ]
        guard options.contains(where: reader.isGiven) || reader.text("delivery") == "ssh" else { return nil }
        let port = reader.int("ssh_port") ?? 22
        if !(1...65535).contains(port) {
            reader.error("invalid-port", "ssh_port is out of range", "It must lie between 1 and 65535.", at: "ssh_port")
        }
        if let path = reader.text("ssh_private_key_file") {
            reader.requireFile(path, "ssh_private_key_file", context)
            reader.requirePrivateKey(path, "ssh_private_key_file", context)
        }
        let logins = ["ssh_password", "ssh_private_key_file", "ssh_agent_auth"]
        if !logins.contains(where: reader.isGiven) {
            reader.missing(
                "ssh_password, ssh_private_key_file or ssh_agent_auth", "One of them logs in at the node over SSH.")
        }
        return ProxmoxUploadSettings.Shell(
            host: reader.text("ssh_host"), port: (1...65535).contains(port) ? port : 22,
            username: reader.text("ssh_username") ?? "root",
            password: reader.text("ssh_password").map { Sensitive($0) },
            privateKeyFile: reader.text("ssh_private_key_file").map(context.home),
            usesAgent: reader.bool("ssh_agent_auth"), hostKeyFingerprint: hostKey(&reader, context))
    }

    private static func hostKey(_ reader: inout OptionReader, _ context: ComponentContext) -> String? {
        guard let text = reader.text("ssh_host_key_fingerprint") else { return nil }
        if !text.hasPrefix("SHA256:") || text.utf8.count < 50, !context.isOpen(text) {
            reader.error(
                "invalid-value", "“\(text)” is not a fingerprint of an SSH host key",
                "`ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub` on the node prints it: SHA256:…",
                at: "ssh_host_key_fingerprint")
        }
        return text
    }

    private static func delivery(
        _ reader: inout OptionReader, hasShell: Bool
    ) -> ProxmoxUploadSettings.Delivery {
        let word = reader.choice("delivery")
        let storage = reader.text("import_storage_pool")
        if word == "ssh", storage != nil { reader.exclude("delivery", "import_storage_pool") }
        return switch word {
        case "ssh": .ssh
        case "upload": .upload(storage: storage)
        default: storage == nil ? .automatic : .upload(storage: storage)
        }
    }
}
