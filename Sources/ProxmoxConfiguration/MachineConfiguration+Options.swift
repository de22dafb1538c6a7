import Foundation

extension MachineConfiguration {
    /// All options but the drives, as key and value.
    ///
    /// - Parameter forArchive: as text keeps them; over the API the description is given as it is.
    func options(forArchive: Bool) -> [(key: String, value: String)] {
        var options: [(key: String, value: String)] = [("name", name)]
        func add(_ key: String, _ value: String?) { if let value { options.append((key, value)) } }
        func add(_ key: String, _ value: Int?) { add(key, value.map { String($0) }) }
        if !forArchive, !description.isEmpty { add("description", description) }
        if !tags.isEmpty { add("tags", tags.joined(separator: ";")) }
        add("ostype", osType.rawValue)
        add("machine", machine)
        if bios != .seabios { add("bios", bios.rawValue) }
        add("cpu", cpu)
        add("cores", cores)
        add("sockets", sockets)
        add("memory", memory)
        add("balloon", balloon)
        if hasNUMA { add("numa", 1) }
        if !usesKVM { add("kvm", 0) }
        add("scsihw", scsiController.rawValue)
        for (index, network) in networks.enumerated() { add("net\(index)", network.text) }
        for (index, serial) in serials.enumerated() { add("serial\(index)", serial) }
        add("vga", vga.map { $0.type + ($0.memory.map { ",memory=\($0)" } ?? "") })
        if let rng {
            add("rng0", joined("source=" + rng.source, [("max_bytes", rng.maxBytes), ("period", rng.period)]))
        }
        add("agent", agent.map { $0.isEnabled ? "enabled=1" : "enabled=0" })
        if !bootOrder.isEmpty { add("boot", "order=" + bootOrder.joined(separator: ";")) }
        if startsOnBoot { add("onboot", 1) }
        add("smbios1", smbiosUUID.map { "uuid=" + $0.uuidString.lowercased() })
        return options + cloudInitOptions()
    }

    private func joined(_ first: String, _ rest: [(String, Int?)]) -> String {
        rest.reduce(first) { text, field in text + (field.1.map { ",\(field.0)=\($0)" } ?? "") }
    }
}

extension MachineConfiguration.NetworkAdapter {
    var text: String {
        var text = model.rawValue + (macAddress.map { "=" + $0.uppercased() } ?? "") + ",bridge=" + bridge
        if hasFirewall { text += ",firewall=1" }
        if let mtu { text += ",mtu=\(mtu)" }
        if let queues, queues > 0 { text += ",queues=\(queues)" }
        if let vlan { text += ",tag=\(vlan)" }
        return text
    }
}

extension MachineConfiguration.Disk {
    /// What follows the volume, each option with a comma before it.
    var attributes: String {
        var text = ""
        if let aio { text += ",aio=" + aio.rawValue }
        if !isBackedUp { text += ",backup=0" }
        if let cache { text += ",cache=" + cache.rawValue }
        if discards { text += ",discard=on" }
        if hasIOThread { text += ",iothread=1" }
        if isSSD { text += ",ssd=1" }
        return text
    }
}

extension MachineConfiguration.EFIDisk {
    var attributes: String { ",efitype=\(kind.rawValue),pre-enrolled-keys=\(hasEnrolledKeys ? 1 : 0)" }
}
