import Foundation

extension MachineConfiguration {
    /// Every value that the server would refuse.
    ///
    /// - Parameter forArchive: also what only an archive cannot hold.
    package func problems(forArchive: Bool = false) -> [ConfigurationProblem] {
        var found = Findings()
        checkIdentity(&found)
        checkHardware(&found)
        checkDrives(&found)
        checkNetworks(&found)
        checkCloudInit(&found, forArchive: forArchive)
        checkBootOrder(&found)
        checkOtherOptions(&found)
        return found.problems
    }

    private func checkIdentity(_ found: inout Findings) {
        if let vmid, !(100...999_999_999).contains(vmid) {
            found.add("vmid", "\(vmid) is not between 100 and 999999999")
        }
        found.check("name", DNSName.problem(name))
        if description.utf8.count > 8192 { found.add("description", "longer than 8192 bytes") }
        if description.unicodeScalars.contains(where: { $0.value == 0 }) {
            found.add("description", "contains a NUL character")
        }
        for tag in tags where !Syntax.tag.matches(tag) {
            found.add(
                "tags", "“\(tag)” must start with a letter, digit or underscore and go on with those, `-`, `+` or `.`")
        }
        if Set(tags.map { $0.lowercased() }).count < tags.count { found.add("tags", "a tag is named twice") }
        if let pool, !Syntax.pool.matches(pool) { found.add("pool", "“\(pool)” is not a pool's name") }
        found.check("storage", Syntax.storageProblem(storage))
    }

    private func checkHardware(_ found: inout Findings) {
        if let machine, !Syntax.machine.matches(machine) {
            found.add("machine", "“\(machine)” is not pc, q35 or a pinned one such as pc-q35-9.0")
        }
        if let cpu, !Syntax.cpu.matches(cpu) {
            found.add("cpu", "“\(cpu)” is not a CPU model with optional flags, such as `host,flags=+aes;-pcid`")
        }
        if cores < 1 { found.add("cores", "must be at least 1") }
        if sockets < 1 { found.add("sockets", "must be at least 1") }
        if memory < 16 { found.add("memory", "\(memory) MiB is less than the 16 MiB that the server demands") }
        if let balloon, balloon < 0 || balloon > memory {
            found.add("balloon", "\(balloon) MiB is not between 0 and the memory of \(memory) MiB")
        }
        if serials.count > 4 { found.add("serial4", "there are at most 4 serial ports") }
        for (index, serial) in serials.enumerated() where serial != "socket" && !Syntax.device.matches(serial) {
            found.add("serial\(index)", "“\(serial)” is neither `socket` nor a device below /dev")
        }
        if let vga {
            if !Syntax.displays.contains(vga.type) {
                found.add("vga", "“\(vga.type)” is not one of \(Syntax.displays.joined(separator: ", "))")
            }
            if let memory = vga.memory, !(4...512).contains(memory) {
                found.add("vga", "memory of \(memory) MiB is not between 4 and 512")
            }
            if vga.type.hasPrefix("serial"), let port = Int(vga.type.dropFirst(6)), port >= serials.count {
                found.add(
                    "vga", "shows on \(vga.type), which the machine does not have; add `socket` to the serial ports")
            }
        }
        if let rng {
            if !["/dev/urandom", "/dev/random", "/dev/hwrng"].contains(rng.source) {
                found.add("rng0", "“\(rng.source)” is not one of /dev/urandom, /dev/random, /dev/hwrng")
            }
            if (rng.maxBytes ?? 0) < 0 || (rng.period ?? 0) < 0 { found.add("rng0", "limits cannot be negative") }
        }
    }

    private func checkDrives(_ found: inout Findings) {
        var taken: Set<DriveSlot> = []
        for slot in disks.map(\.slot) + (cloudInit.map { [$0.slot] } ?? []) {
            if !(0..<slot.bus.count).contains(slot.index) {
                found.add("\(slot)", "\(slot.bus.rawValue) has places 0 to \(slot.bus.count - 1)")
            }
            if !taken.insert(slot).inserted { found.add("\(slot)", "two drives on one place") }
        }
        for disk in disks {
            let option = "\(disk.slot)"
            if [.efidisk, .tpmstate].contains(disk.slot.bus) { found.add(option, "is not a place for a disk") }
            found.check(option, disk.storage.flatMap(Syntax.storageProblem))
            if disk.isSSD, disk.slot.bus == .virtio { found.add(option, "virtio disks cannot be shown as SSD") }
            if disk.hasIOThread {
                if disk.slot.bus == .scsi, scsiController != .virtioSingle {
                    found.add(option, "an I/O thread needs the SCSI controller virtio-scsi-single")
                } else if disk.slot.bus != .scsi, disk.slot.bus != .virtio {
                    found.add(option, "only scsi and virtio disks can have an I/O thread")
                }
            }
        }
        if let efiDisk {
            if bios != .ovmf { found.add("efidisk0", "only machines with the firmware ovmf have EFI variables") }
            if efiDisk.kind == .small, efiDisk.hasEnrolledKeys {
                found.add("efidisk0", "the small variable store has no room for Secure Boot keys; use 4m")
            }
            found.check("efidisk0", efiDisk.storage.flatMap(Syntax.storageProblem))
        }
        found.check("tpmstate0", tpm?.storage.flatMap(Syntax.storageProblem))
    }

    private func checkNetworks(_ found: inout Findings) {
        if networks.count > 32 { found.add("net32", "there are at most 32 network adapters") }
        for (index, network) in networks.enumerated() {
            let option = "net\(index)"
            if !Syntax.bridge.matches(network.bridge) {
                found.add(option, "“\(network.bridge)” is not a bridge's name")
            }
            if let mac = network.macAddress, !Syntax.unicastMAC.matches(mac) {
                found.add(option, "“\(mac)” is not a unicast MAC address (its second digit must be even)")
            }
            if let vlan = network.vlan, !(1...4094).contains(vlan) {
                found.add(option, "VLAN \(vlan) is not between 1 and 4094")
            }
            if let mtu = network.mtu {
                if !(1...65520).contains(mtu) { found.add(option, "MTU \(mtu) is not between 1 and 65520") }
                if network.model != .virtio { found.add(option, "only virtio adapters have an MTU") }
            }
            if let queues = network.queues, !(0...64).contains(queues) {
                found.add(option, "\(queues) queues is not between 0 and 64")
            }
        }
    }

    private func checkBootOrder(_ found: inout Findings) {
        var present = Set((disks.map(\.slot) + (cloudInit.map { [$0.slot] } ?? [])).map(\.description))
        present.formUnion(networks.indices.map { "net\($0)" })
        present.formUnion(otherOptions.keys)
        for device in bootOrder where !present.contains(device) {
            found.add("boot", "“\(device)” is in the boot order but not in the machine")
        }
        if Set(bootOrder).count < bootOrder.count { found.add("boot", "a device is named twice") }
    }

    private func checkOtherOptions(_ found: inout Findings) {
        let known = Set(options(forArchive: true).map(\.key))
        for (key, value) in otherOptions.sorted(by: { $0.key < $1.key }) {
            if !Syntax.optionName.matches(key) || ["vmid", "template", "lock", "digest", "node"].contains(key) {
                found.add(key, "is not an option that can be given")
            } else if known.contains(key) {
                found.add(key, "is set twice")
            }
            if value.isEmpty || value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
                found.add(key, "is empty or contains control characters")
            }
        }
    }
}

/// Problems in the order they were found.
struct Findings {
    private(set) var problems: [ConfigurationProblem] = []
    mutating func add(_ option: String, _ reason: String) {
        problems.append(ConfigurationProblem(option: option, reason: reason))
    }
    mutating func check(_ option: String, _ reason: String?) {
        if let reason { add(option, reason) }
    }
}
