import Foundation
import ProxmoxConfiguration

extension FakeCluster.State {
    mutating func create(_ fields: [String: String], _ node: String, _ user: String) throws -> Any {
        let vmid = Int(fields["vmid"] ?? "") ?? 0
        let path = "/vms/\(vmid)"
        if !has("VM.Allocate", on: path), !has("VM.Allocate", on: "/pool/\(fields["pool"] ?? "")") {
            throw FakeRefusal(status: 403, message: "Permission check failed")
        }
        let options = fields.filter { !["vmid", "pool", "start", "storage"].contains($0.key) }
        try checkOptions(options, path, vmid)
        if let other = machines[vmid] {
            throw FakeRefusal.died("unable to create VM \(vmid) - VM \(vmid) already exists on node '\(other.node)'")
        }
        machines[vmid] = FakeCluster.Machine(node: node, config: ["lock": "create"])
        return start("qmcreate", "\(vmid)", on: node, for: user, undo: { $0.machines[vmid] = nil }) { state in
            var config = options
            for (key, value) in options.sorted(by: { $0.key < $1.key }) where Self.isDrive(key) {
                do { config[key] = try state.allocate(value, vmid) } catch {
                    state.removeVolumes(of: vmid)
                    return "unable to create VM \(vmid) - \((error as? FakeRefusal)?.message ?? "\(error)")"
                }
            }
            state.machines[vmid]?.config = config
            return nil
        }
    }

    mutating func answerMachine(
        _ call: String, _ vmid: Int, _ node: String, _ fields: [String: String], _ user: String
    ) throws -> Any {
        guard let machine = machines[vmid], machine.node == node else {
            throw FakeRefusal.died("Configuration file 'nodes/\(node)/qemu-server/\(vmid).conf' does not exist")
        }
        if call == "config" { return machine.config.merging(["digest": "00"]) { $1 } }
        if let lock = machine.config["lock"] { throw FakeRefusal.died("VM is locked (\(lock))") }
        switch call {
        case "change":
            try checkOptions(fields.filter { $0.key != "delete" && $0.key != "digest" }, "/vms/\(vmid)", vmid)
            return start("qmconfig", "\(vmid)", on: node, for: user) { state in
                for (key, value) in fields {
                    let volume = String(value.prefix { $0 != "," })
                    for (unused, held) in state.machines[vmid]?.config ?? [:]
                    where unused.hasPrefix("unused") && held == volume {
                        state.machines[vmid]?.config[unused] = nil
                    }
                    state.machines[vmid]?.config[key] = value
                }
                let order = fields["boot"]?.dropFirst("order=".count).split(separator: ";") ?? []
                for device in order where state.machines[vmid]?.config[String(device)] == nil {
                    return "invalid bootorder: device '\(device)' does not exist'"
                }
                return nil
            }
        case "resize":
            guard machine.config[fields["disk"] ?? ""] != nil else {
                throw FakeRefusal.died("disk '\(fields["disk"] ?? "")' does not exist")
            }
            return start("resize", "\(vmid)", on: node, for: user) { state in
                state.machines[vmid]?.config["\(fields["disk"] ?? "")"]? += ",size=\(fields["size"] ?? "")"
                return nil
            }
        case "template":
            guard machine.config["template"] != "1" else {
                throw FakeRefusal.died("you can't convert a template to a template")
            }
            return start("qmtemplate", "\(vmid)", on: node, for: user) { state in
                state.machines[vmid]?.config["template"] = "1"
                return nil
            }
        case "remove":
            if machine.config["protection"] == "1" {
                throw FakeRefusal.died("can't remove VM \(vmid) - protection mode enabled")
            }
            return start("qmdestroy", "\(vmid)", on: node, for: user) { state in
                if machine.hasLinkedClones {
                    return "base volume 'local-lvm:base-\(vmid)-disk-0' is still in use by linked cloned"
                }
                state.removeVolumes(of: vmid)
                state.machines[vmid] = nil
                return nil
            }
        default: throw FakeRefusal(status: 501, message: "not implemented")
        }
    }

    static func isDrive(_ key: String) -> Bool {
        key.range(of: "^(ide|sata|scsi|virtio|efidisk|tpmstate)[0-9]+$", options: .regularExpression) != nil
    }

    /// The checks of values and of the privileges that depend on them.
    private func checkOptions(_ options: [String: String], _ path: String, _ vmid: Int) throws {
        for (key, value) in options {
            switch String(key.prefix { !$0.isNumber }) {
            case "cpu", "cores", "sockets", "numa", "kvm": try require(["VM.Config.CPU"], on: path)
            case "memory", "balloon": try require(["VM.Config.Memory"], on: path)
            case "machine", "scsihw", "vga", "rng", "hotplug", "tablet", "smbios", "vmgenid":
                try require(["VM.Config.HWType"], on: path)
            case "serial":
                guard value == "socket" else {
                    throw FakeRefusal.died("only root can set '\(key)' config for real devices")
                }
                try require(["VM.Config.HWType"], on: path)
            case "net":
                try require(["VM.Config.Network"], on: path)
                let bridge = value.split(separator: ",").first { $0.hasPrefix("bridge=") }?.dropFirst(7) ?? ""
                if !bridges.contains(String(bridge)) { throw FakeRefusal.died("bridge '\(bridge)' does not exist") }
                if Int(version.prefix { $0 != "." }) ?? 0 >= 8 {
                    try require(["SDN.Use"], on: "/sdn/zones/localnetwork/\(bridge)")
                }
            case "ciuser", "cipassword", "citype", "ciupgrade", "sshkeys", "ipconfig", "nameserver", "searchdomain":
                try require(["VM.Config.Cloudinit", "VM.Config.Network"], on: path)
            case "ide", "sata", "scsi", "virtio", "efidisk", "tpmstate":
                try require(["VM.Config.Disk"], on: path)
                try checkDrive(key, value, vmid)
            case "boot": try require(["VM.Config.Disk"], on: path)
            default: try require(["VM.Config.Options"], on: path)
            }
        }
    }

    private func checkDrive(_ key: String, _ value: String, _ vmid: Int) throws {
        let parts = value.split(separator: ",").map(String.init)
        let pair = (parts.first ?? "").split(separator: ":", maxSplits: 1).map(String.init)
        guard pair.count == 2 else { throw FakeRefusal.parameters([key: "unable to parse drive options"]) }
        let storage = try storage(pair[0])
        if let source = parts.first(where: { $0.hasPrefix("import-from=") })?.dropFirst("import-from=".count) {
            guard pair[1] == "0" else { throw FakeRefusal.parameters([key: "'import-from' requires special syntax"]) }
            if source.hasPrefix("/") { throw FakeRefusal.died("Only root can pass arbitrary filesystem paths.") }
            let sourceStorage = String(source.prefix { $0 != ":" })
            if !has("Datastore.Allocate", on: "/storage/\(sourceStorage)") {
                try require(["Datastore.AllocateSpace", "Datastore.Audit"], on: "/storage/\(sourceStorage)")
            }
            if key == "efidisk0", !value.contains("efitype=") || !value.contains("pre-enrolled-keys=") {
                throw FakeRefusal.parameters([key: "need to specify 'efitype' when using 'import-from'"])
            }
        }
        if Int(pair[1]) != nil || pair[1] == "cloudinit" {
            try require(["Datastore.AllocateSpace"], on: "/storage/\(pair[0])")
            guard storage.content.contains("images") else {
                throw FakeRefusal.parameters(["storage": "storage '\(pair[0])' does not support vm images"])
            }
        } else if storage.volumes["\(pair[0]):\(pair[1])"] == nil {
            throw FakeRefusal.died("volume \(pair[0]):\(pair[1]) does not exist")
        }
    }

    /// Makes the volume that a drive's value asks for.
    ///
    /// - Returns: the value with the volume's name.
    private mutating func allocate(_ value: String, _ vmid: Int) throws -> String {
        var parts = value.split(separator: ",").map(String.init)
        let pair = parts[0].split(separator: ":", maxSplits: 1).map(String.init)
        var data = Data()
        if let index = parts.firstIndex(where: { $0.hasPrefix("import-from=") }) {
            let source = String(parts.remove(at: index).dropFirst("import-from=".count))
            guard let volume = storages[String(source.prefix { $0 != ":" })]?.volumes[source] else {
                throw FakeRefusal.died("volume '\(source)' does not exist")
            }
            data = volume.data
        }
        let name = pair[1] == "cloudinit" ? "vm-\(vmid)-cloudinit" : freeVolume(on: pair[0], vmid)
        parts[0] = "\(pair[0]):\(name)"
        storages[pair[0]]?.volumes[parts[0]] = .init(content: "images", data: data, owner: vmid)
        return parts.joined(separator: ",")
    }

    func freeVolume(on storage: String, _ vmid: Int) -> String {
        let names = (0..<100).map { "vm-\(vmid)-disk-\($0)" }
        return names.first { storages[storage]?.volumes["\(storage):\($0)"] == nil } ?? "full"
    }

    mutating func removeVolumes(of vmid: Int) {
        storages = storages.mapValues { storage in
            var storage = storage
            storage.volumes = storage.volumes.filter { $0.value.owner != vmid }
            return storage
        }
    }
}
