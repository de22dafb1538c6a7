/// Where a drive is attached: `scsi0`, `virtio1`, and the two fixed places `efidisk0` and `tpmstate0`.
package struct DriveSlot: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The buses that disks can be attached to.
    package enum Bus: String, Sendable, CaseIterable {
        case ide, sata, scsi, virtio, efidisk, tpmstate

        /// How many drives the server allows.
        package var count: Int {
            switch self {
            case .ide: 4
            case .sata: 6
            case .scsi: 31
            case .virtio: 16
            case .efidisk, .tpmstate: 1
            }
        }
    }

    package var bus: Bus
    package var index: Int

    package init(bus: Bus, index: Int) {
        self.bus = bus
        self.index = index
    }

    /// Reads `scsi0`; nil if it is not such a slot.
    package init?(_ text: some StringProtocol) {
        guard let bus = Bus.allCases.first(where: { text.hasPrefix($0.rawValue) }),
            let index = Int(text.dropFirst(bus.rawValue.count)), (0..<bus.count).contains(index),
            text == bus.rawValue + String(index)
        else { return nil }
        self.init(bus: bus, index: index)
    }

    package static let efi = DriveSlot(bus: .efidisk, index: 0)
    package static let tpm = DriveSlot(bus: .tpmstate, index: 0)

    package var description: String { bus.rawValue + String(index) }

    /// The name of its data stream in a backup archive, as the server's own backups have it.
    package var archiveDeviceName: String { "drive-" + description }

    package static func < (left: Self, right: Self) -> Bool {
        let order = Bus.allCases
        let (first, second) = (order.firstIndex(of: left.bus) ?? 0, order.firstIndex(of: right.bus) ?? 0)
        return (first, left.index) < (second, right.index)
    }
}
