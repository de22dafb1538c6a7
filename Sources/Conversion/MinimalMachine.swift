package import Foundation

/// The `qemu-server.conf` of a machine with one disk, for an image that came without one.
///
/// It boots from the disk with Proxmox VE's own firmware setting; whoever restores it chooses the rest.
package func minimalMachine(name: String, device: String, size: UInt64) -> Data {
    let key = device.hasPrefix("drive-") ? String(device.dropFirst(6)) : device
    let lines = [
        "name: \(hostName(name))",
        "ostype: l26",
        "cpu: x86-64-v2-AES",
        "cores: 2",
        "sockets: 1",
        "memory: 2048",
        "scsihw: virtio-scsi-single",
        "\(key): local:vm-100-disk-0,discard=on,iothread=1,size=\(sizeText(size))",
        "boot: order=\(key)",
        "serial0: socket",
        "#qmdump#map:\(key):\(device)::raw:",
    ]
    return Data((lines.joined(separator: "\n") + "\n").utf8)
}

/// Letters, digits and dashes, as Proxmox VE wants a machine's name.
private func hostName(_ text: String) -> String {
    let plain = text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    let name = String(plain).split(separator: "-").joined(separator: "-").prefix(63)
    return name.isEmpty ? "image" : String(name)
}

/// In the largest unit that gives a whole number.
private func sizeText(_ bytes: UInt64) -> String {
    for (unit, shift) in [("G", 30), ("M", 20), ("K", 10)] as [(String, UInt64)] where bytes % (1 << shift) == 0 {
        return "\(bytes >> shift)\(unit)"
    }
    return "\((bytes + 1023) >> 10)K"
}
