package import Foundation

/// A drive that a backup archive holds the bytes of.
package struct ArchivedDrive: Sendable, Equatable {
    package var slot: DriveSlot
    /// Bytes, as the archive's device has them.
    package var size: Int64
    /// The device's name in the archive.
    package var deviceName: String { slot.archiveDeviceName }

    package init(slot: DriveSlot, size: Int64) {
        self.slot = slot
        self.size = size
    }
}

extension MachineConfiguration {
    /// The text of `qemu-server.conf` for a backup archive.
    ///
    /// The TPM state is left out: its form in an archive is the node's own, and the server makes a blank one when the
    /// option is set after the restore. What an archive must have and the machine does not say (MAC addresses, SMBIOS
    /// and generation ids) is drawn from `generator`, so a seeded one gives the same text again.
    ///
    /// - Parameters:
    ///   - drives: the archive's devices, in their order.
    ///   - vmid: the number in volume names; the restore may use another one.
    /// - Throws: `BuildError` with every value that the server would refuse.
    package func archiveText(
        drives: [ArchivedDrive], vmid: Int, created: Date, using generator: inout some RandomNumberGenerator
    ) throws -> String {
        try validate(forArchive: true)
        var complete = self
        for index in complete.networks.indices where complete.networks[index].macAddress == nil {
            complete.networks[index].macAddress = Self.randomMAC(using: &generator)
        }
        complete.smbiosUUID = smbiosUUID ?? Self.randomUUID(using: &generator)
        var options = complete.options(forArchive: true)
        options += otherOptions.map { ($0.key, $0.value) }
        if otherOptions["vmgenid"] == nil {
            options.append(("vmgenid", Self.randomUUID(using: &generator).uuidString.lowercased()))
        }
        if otherOptions["meta"] == nil {
            options.append(("meta", "ctime=\(Int64(max(0, min(created.timeIntervalSince1970, 1e12))))"))
        }
        if isTemplate { options.append(("template", "1")) }
        for (number, drive) in drives.enumerated() {
            options.append(("\(drive.slot)", try archiveLine(for: drive, vmid: vmid, number: number)))
        }
        if let cloudInit {
            let storage = cloudInit.storage ?? storage
            options.append(("\(cloudInit.slot)", "\(storage):vm-\(vmid)-cloudinit,media=cdrom"))
        }
        let notes =
            description.isEmpty
            ? []
            : description.replacing("\r\n", with: "\n").split(
                separator: "\n", omittingEmptySubsequences: false)
        var lines = notes.map { "#" + PercentEncoding.descriptionLine($0) }
        lines += options.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        lines += drives.map { drive in
            let format = format(of: drive.slot) ?? .raw
            return "#qmdump#map:\(drive.slot):\(drive.deviceName):\(storage(of: drive.slot)):\(format.rawValue):"
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func archiveLine(for drive: ArchivedDrive, vmid: Int, number: Int) throws -> String {
        let volume = "\(storage(of: drive.slot)):vm-\(vmid)-disk-\(number)"
        let size = ",size=" + Self.sizeText(drive.size)
        if drive.slot == .efi, let efiDisk { return volume + efiDisk.attributes + size }
        guard let disk = disks.first(where: { $0.slot == drive.slot }) else {
            throw ConfigurationProblem(option: "\(drive.slot)", reason: "is in the archive but not in the machine")
                .error
        }
        guard disk.isBackedUp else {
            throw ConfigurationProblem(
                option: "\(drive.slot)", reason: "is left out of backups, so a restore would drop it"
            ).error
        }
        return volume + disk.attributes + size
    }

    /// As the server writes sizes: the largest unit that divides it.
    package static func sizeText(_ bytes: Int64) -> String {
        for (unit, shift) in [("T", 40), ("G", 30), ("M", 20), ("K", 10)] where bytes >= 1 << Int64(shift) {
            if bytes % (1 << Int64(shift)) == 0 { return "\(bytes >> Int64(shift))\(unit)" }
        }
        return "\(bytes)"
    }

    /// With the prefix that Proxmox has from the IEEE.
    static func randomMAC(using generator: inout some RandomNumberGenerator) -> String {
        let bytes: [UInt8] =
            [0xbc, 0x24, 0x11] + (0..<3).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: ":")
    }

    /// A UUID of version 4 from the bits of `generator`.
    package static func randomUUID(using generator: inout some RandomNumberGenerator) -> UUID {
        let (high, low) = (generator.next() as UInt64, generator.next() as UInt64)
        func byte(_ word: UInt64, _ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: word >> UInt64(8 * place)) }
        return UUID(
            uuid: (
                byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3), byte(high, 4), byte(high, 5),
                byte(high, 6) & 0x0f | 0x40, byte(high, 7), byte(low, 0) & 0x3f | 0x80, byte(low, 1), byte(low, 2),
                byte(low, 3), byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
            ))
    }
}
