/// Where the bytes of a new drive come from.
package enum DriveContent: Sendable, Equatable {
    /// A new volume of so many GiB, at least 1.
    case blank(gibibytes: Int)
    /// A copy of a volume that the server has, such as `local:import/disk.qcow2`.
    case copy(of: String)
    /// A volume that belongs to the machine already.
    case volume(String)
}

extension MachineConfiguration {
    /// The parameters of the call that creates the machine, without `vmid`.
    ///
    /// - Parameters:
    ///   - drives: what each drive starts with. A disk that is not named is left for later; EFI variables and TPM state
    ///     that are not named are made blank by the server.
    ///   - later: of those two, what is left for later too.
    package func creationParameters(
        drives: [DriveSlot: DriveContent], without later: Set<DriveSlot> = []
    ) -> [(key: String, value: String)] {
        var parameters = options(forArchive: false)
        for disk in disks {
            if let content = drives[disk.slot] {
                parameters.append((disk.slot.description, parameter(for: disk.slot, content) ?? ""))
            }
        }
        for slot in [DriveSlot.efi, .tpm] where !later.contains(slot) {
            if let value = parameter(for: slot, drives[slot] ?? .blank(gibibytes: 1)) {
                parameters.append((slot.description, value))
            }
        }
        if let cloudInit {
            parameters.append(("\(cloudInit.slot)", (cloudInit.storage ?? storage) + ":cloudinit,media=cdrom"))
        }
        // Such an order would be refused while the disk is missing.
        let missing = Set(disks.map(\.slot).filter { drives[$0] == nil }.map(\.description))
        if bootOrder.contains(where: missing.contains) { parameters.removeAll { $0.key == "boot" } }
        if let pool { parameters.append(("pool", pool)) }
        return parameters + otherOptions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The parameters that attach what was missing when the machine was created, and set the boot order.
    package func attachmentParameters(drives: [DriveSlot: DriveContent]) -> [(key: String, value: String)] {
        var parameters = drives.sorted { $0.key < $1.key }.compactMap { slot, content in
            parameter(for: slot, content).map { (key: slot.description, value: $0) }
        }
        if !bootOrder.isEmpty { parameters.append(("boot", "order=" + bootOrder.joined(separator: ";"))) }
        return parameters
    }

    /// The storage that a drive is made on.
    package func storage(of slot: DriveSlot) -> String {
        switch slot {
        case .efi: efiDisk?.storage ?? storage
        case .tpm: tpm?.storage ?? storage
        case cloudInit?.slot: cloudInit?.storage ?? storage
        default: disks.first { $0.slot == slot }?.storage ?? storage
        }
    }

    /// The format asked for; nil is the storage's default.
    package func format(of slot: DriveSlot) -> DiskFormat? {
        slot == .efi ? efiDisk?.format : disks.first { $0.slot == slot }?.format
    }

    /// Every storage that the machine needs room on.
    package var storages: Set<String> {
        var slots = disks.map(\.slot)
        if efiDisk != nil { slots.append(.efi) }
        if tpm != nil { slots.append(.tpm) }
        if let cloudInit { slots.append(cloudInit.slot) }
        return Set(slots.map(storage(of:)))
    }

    private func parameter(for slot: DriveSlot, _ content: DriveContent) -> String? {
        let attributes: String
        switch slot {
        case .efi:
            guard let efiDisk else { return nil }
            attributes = efiDisk.attributes
        case .tpm:
            guard let tpm else { return nil }
            attributes = ",version=" + tpm.version.rawValue
        default:
            guard let disk = disks.first(where: { $0.slot == slot }) else { return nil }
            attributes = disk.attributes
        }
        let format = format(of: slot).map { ",format=" + $0.rawValue } ?? ""
        return switch content {
        case .blank(let gibibytes): "\(storage(of: slot)):\(max(gibibytes, 1))" + format + attributes
        case .copy(let volume): "\(storage(of: slot)):0,import-from=\(volume)" + format + attributes
        case .volume(let volume): volume + attributes
        }
    }
}
