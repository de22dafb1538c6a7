import Crypto
import Foundation
import ProxmoxConfiguration

extension FakeCluster.State {
    typealias State = FakeCluster.State

    mutating func answer(
        _ call: String, _ path: [String: String], _ fields: [String: String], _ user: String
    ) throws -> Any {
        let node = path["node"] ?? "pve"
        switch call {
        case "version": return ["version": version, "release": "8", "repoid": "abc"]
        case "ticket": return try signIn(fields)
        case "permissions":
            let wanted = fields["path"] ?? "/"
            return [
                wanted: Dictionary(uniqueKeysWithValues: Self.enough.filter { has($0, on: wanted) }.map { ($0, 1) })
            ]
        case "nodes": return nodes.map { ["node": $0.key, "status": $0.value] }
        case "nextid":
            let id = (100...999).first { machines[$0] == nil } ?? 0
            if stolenNumbers > 0 {
                stolenNumbers -= 1
                machines[id] = FakeCluster.Machine(config: ["name": "quicker"])
            }
            return String(id)
        case "resources":
            return machines.filter { has("VM.Audit", on: "/vms/\($0.key)") }.map { id, machine -> [String: Any] in
                [
                    "vmid": id, "name": machine.config["name"] ?? "VM \(id)", "node": machine.node,
                    "type": machine.isContainer ? "lxc" : "qemu",
                    "template": machine.config["template"] == "1" ? 1 : 0,
                    "status": "stopped", "tags": machine.config["tags"] ?? "",
                ]
            }
        case "storages":
            return storages.filter {
                has("Datastore.Audit", on: "/storage/\($0.key)")
                    || has("Datastore.AllocateSpace", on: "/storage/\($0.key)")
            }
            .map { name, storage -> [String: Any] in
                [
                    "storage": name, "type": storage.type, "content": storage.content.sorted().joined(separator: ","),
                    "active": 1, "enabled": 1, "shared": 0, "avail": storage.available,
                ]
            }
        case "contents":
            let storage = try storage(path["storage"] ?? "")
            return storage.volumes.filter { $0.value.content == fields["content"] ?? $0.value.content }
                .map {
                    ["volid": $0.key, "content": $0.value.content, "size": "\($0.value.data.count)", "format": "raw"]
                }
        case "removeVolume": return try removeVolume(path["volume"] ?? "", node, user)
        case "upload": return try upload(to: path["storage"] ?? "", fields, node, user)
        case "tasks":
            return tasks.filter { $0.end == nil && $0.type == fields["typefilter"] ?? $0.type }.map {
                ["upid": $0.upid]
            }
        case "taskStatus":
            let task = try task(path["upid"] ?? "")
            return task.end.map { ["status": "stopped", "exitstatus": $0] } ?? ["status": "running"]
        case "taskLog":
            return try task(path["upid"] ?? "").log.enumerated().map {
                ["n": $0.offset + 1, "t": $0.element] as [String: Any]
            }
        case "stopTask":
            if let index = tasks.firstIndex(where: { $0.upid == path["upid"] && $0.end == nil }) {
                tasks[index].end = "received interrupt"
                tasks[index].undo(&self)
            }
            return NSNull()
        case "create": return try create(fields, node, user)
        default: return try answerMachine(call, Int(path["vmid"] ?? "") ?? 0, node, fields, user)
        }
    }

    private mutating func signIn(_ fields: [String: String]) throws -> Any {
        let (user, password) = (fields["username"] ?? "", fields["password"] ?? "")
        func ticket() -> [String: Any] {
            logins += 1
            let ticket = "PVE:\(user):66E0F0\(logins)::sig/+\(logins)=="
            tickets.insert(ticket)
            return ["username": user, "ticket": ticket, "CSRFPreventionToken": "csrf:" + ticket]
        }
        if tickets.contains(password), password.hasPrefix("PVE:\(user):") { return ticket() }
        guard secrets[user] == password, !user.contains("!") else {
            throw FakeRefusal(status: 401, message: "authentication failure")
        }
        if needsSecondFactor {
            return ["username": user, "ticket": "PVE:!tfa!\(user)", "NeedTFA": 1, "CSRFPreventionToken": "none"]
        }
        return ticket()
    }

    func storage(_ name: String) throws -> FakeCluster.Storage {
        guard let storage = storages[name] else { throw FakeRefusal.died("storage '\(name)' does not exist") }
        return storage
    }

    private func task(_ upid: String) throws -> FakeCluster.RunningTask {
        guard let task = tasks.first(where: { $0.upid == upid }) else { throw FakeRefusal.died("no such task") }
        return task
    }

    private mutating func upload(to name: String, _ fields: [String: String], _ node: String, _ user: String) throws
        -> Any
    {
        let storage = try storage(name)
        let content = fields["content"] ?? ""
        guard storage.type == "dir" else { throw FakeRefusal.died("can't upload to storage type '\(storage.type)'") }
        let fileName = fields["filename"] ?? ""
        if content == "import",
            fileName.range(of: "^[A-Za-z0-9_.-]+\\.(ova|qcow2|raw|vmdk)$", options: .regularExpression) == nil
        {
            throw FakeRefusal.parameters(["filename": "invalid filename or wrong extension"])
        }
        guard storage.content.contains(content) else {
            throw FakeRefusal.died("storage '\(name)' does not support '\(content)' content")
        }
        let data = fields["\u{0}file"]?.data(using: .isoLatin1) ?? Data()
        uploads[fileName] = data.count
        return start("imgcopy", "", on: node, for: user) { state in
            if let wanted = fields["checksum"] {
                let got = SHA256.hash(data: data).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
                    .joined()
                if got != wanted { return "checksum mismatch: got '\(got)' != expect '\(wanted)'" }
            }
            state.storages[name]?.volumes["\(name):\(content)/\(fileName)"] = .init(content: content, data: data)
            return nil
        }
    }

    private mutating func removeVolume(_ volume: String, _ node: String, _ user: String) throws -> Any {
        let name = String(volume.prefix { $0 != ":" })
        _ = try storage(name)
        try require(["Datastore.Allocate"], on: "/storage/\(name)")
        return start("imgdel", "@\(name)", on: node, for: user) { state in
            state.storages[name]?.volumes.removeValue(forKey: volume) == nil ? "volume does not exist" : nil
        }
    }
}
