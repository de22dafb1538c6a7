import Scopes

/// What the user can do about a refusal.
enum RefusalAdvice {
    /// - Parameter privileges: what the call needs, for a 403 that names nothing.
    static func hint(for refusal: APIRefusal, privileges: String?, credentials: ProxmoxCredentials) -> String {
        switch refusal.status {
        case 401: return unauthorized(credentials)
        case 403: return forbidden(refusal.message, privileges, credentials)
        case 400: return parameters(refusal)
        case 501:
            return "This version of Proxmox VE does not have the call, or the address leads to another program. "
                + "Check the URL, and update Proxmox VE."
        case 595, 596, 597, 598, 599:
            return "The node is offline, or the node that was asked cannot reach it. Check the node's name and state "
                + "(`pvecm status`), or use that node's own address."
        case 502, 503, 504:
            return "A proxy in front of the server, or the server itself, is overloaded. Try again, or use the node's "
                + "own address."
        case 413: return "A proxy in front of the server limits the size of uploads. Use the node's own address."
        default: return words(refusal.message) ?? "See the node's system log (`journalctl -u pvedaemon -u pveproxy`)."
        }
    }

    /// What the user can do about a task that failed.
    static func hint(for failure: TaskFailure) -> String {
        words(failure.status) ?? failure.log.reversed().lazy.compactMap(words).first
            ?? "See the task's log on node \(failure.task.node) (`pvenode task log \(failure.task)`)."
    }

    private static func unauthorized(_ credentials: ProxmoxCredentials) -> String {
        switch credentials {
        case .token(let id, _):
            "Check the token's id (“\(id)”, in the form user@realm!name) and its secret, and that neither the token nor "
                + "its user is disabled or has expired."
        case .password(let user, _):
            "Check the password of “\(user)” and the realm after the `@` (pam, pve…), that the account is enabled, and "
                + "whether it needs a one-time password. An API token does without."
        }
    }

    private static func forbidden(_ message: String, _ needed: String?, _ credentials: ProxmoxCredentials) -> String {
        var wanted = needed.map { "Grant \($0)" } ?? "Grant the missing privilege"
        // "Permission check failed (/storage/local, Datastore.AllocateTemplate)"
        if let open = message.firstIndex(of: "("), let close = message.lastIndex(of: ")"), open < close {
            let parts = message[message.index(after: open)..<close].split(separator: ",", maxSplits: 1)
                .map { String($0.drop { $0 == " " }) }
            if parts.count == 2, parts[0].hasPrefix("/") {
                let privileges = parts[1].split(separator: "|").map { "“\($0)”" }.joined(separator: " or ")
                wanted = "Grant \(privileges) on “\(parts[0])”"
                if let role = role(with: String(parts[1].prefix { $0 != "|" })) {
                    wanted += ", for example with the role \(role)"
                }
            } else if parts.first?.contains("root@pam") == true {
                return "Only root@pam may do this, signed in with its password; leave out the option that needs it."
            }
        }
        switch credentials {
        case .token(let id, _):
            let user = id.prefix { $0 != "!" }
            return wanted + ", to the user “\(user)” and, if the token has privilege separation, to the token “\(id)” "
                + "too (Datacenter > Permissions)."
        case .password(let user, _): return wanted + ", to “\(user)” (Datacenter > Permissions)."
        }
    }

    /// A built-in role that holds a privilege.
    static func role(with privilege: String) -> String? {
        switch privilege {
        case "Datastore.AllocateSpace", "Datastore.Audit": "PVEDatastoreUser"
        case "Datastore.Allocate", "Datastore.AllocateTemplate": "PVEDatastoreAdmin"
        case "SDN.Use": "PVESDNUser"
        case "Sys.Audit": "PVEAuditor"
        default: privilege.hasPrefix("VM.") ? "PVEVMAdmin" : nil
        }
    }

    private static func parameters(_ refusal: APIRefusal) -> String {
        if let unknown = refusal.parameters.first(where: { $0.value.contains("not defined in schema") }) {
            return "This version of Proxmox VE does not know the option “\(unknown.key)”. Leave it out, or update "
                + "Proxmox VE."
        }
        if refusal.parameters["content"] != nil {
            return "Uploading disk images needs Proxmox VE 8.4 or newer; on older ones bring the disk through SSH."
        }
        if let advice = refusal.parameters.values.lazy.compactMap(words).first ?? words(refusal.message) {
            return advice
        }
        let names = refusal.parameters.keys.sorted().map { "“\($0)”" }.joined(separator: ", ")
        return names.isEmpty ? "Check the values of the machine's options." : "Correct the value of \(names)."
    }

    /// Advice by the words of a refusal or of a task's end.
    private static func words(_ text: String) -> String? {
        let text = text.lowercased()
        func has(_ parts: String...) -> Bool { parts.allSatisfy(text.contains) }
        if has("does not support", "import") || has("does not support 'import'") {
            return
                "Allow the content type Import on that storage (Datacenter > Storage > Edit > Content); it must keep "
                + "files (directory, NFS, CIFS, CephFS)."
        }
        if has("does not support vm images") || has("content type needs to be 'images'") {
            return "Allow the content type Disk image on that storage, or choose another one for the disks."
        }
        if has("can't upload to storage type") { return "Choose a storage that keeps files, such as `local`." }
        if has("storage", "does not exist") || has("no such storage") {
            return "Check the storage's name (`pvesm status` on the node lists them)."
        }
        if has("storage", "not available on node") || has("storage", "is disabled") || has("storage", "not online") {
            return "Enable the storage for that node (Datacenter > Storage > Edit)."
        }
        if has("no space left") || has("not enough free space") || has("out of space") || has("quota exceeded") {
            return "Free space on the storage, and in /var/tmp of the node that was asked: an upload needs it twice."
        }
        if has("checksum mismatch") {
            return "The bytes changed on their way, or the file was changed meanwhile. Try again."
        }
        if has("already exists") { return "Choose another vm_id, or leave it out to take the next free one." }
        if has("protection") { return "Remove the protection of that machine (Options > Protection) if it may go." }
        if has("is running") { return "Stop that machine first." }
        if has("linked clone") || has("base volume", "in use") {
            return "Linked clones still use that template. Remove or fully clone them first."
        }
        if has("only root") { return "Only root@pam may set this, signed in with its password; leave the option out." }
        if has("is locked") || has("got timeout") || has("can't lock file") {
            return "Something else works on that machine or storage. Wait for it, and try again."
        }
        if has("backing file") || has("data-file") || has("referencing") {
            return "The server takes only images without a backing file. Convert the image to a flat one first."
        }
        if has("bridge", "does not exist") { return "Choose a bridge that the node has (`ip -br link` there)." }
        if has("no such cluster node") || has("hostname lookup") { return "Check the node's name (`pvecm nodes`)." }
        return nil
    }
}
