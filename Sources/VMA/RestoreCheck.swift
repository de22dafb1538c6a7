import Foundation

/// What would make Proxmox VE refuse to restore an archive, or restore less than is in it.
///
/// Its restore takes each disk's place from lines `#qmdump#map:KEY:DEVICE:STORAGE:FORMAT:` of `qemu-server.conf`, and
/// demands one for every disk.
package func restoreProblems(_ configs: [ArchiveConfig], devices: [String]) -> [String] {
    guard let config = configs.first(where: { $0.name == "qemu-server.conf" }) else {
        return ["There is no qemu-server.conf, without which Proxmox VE restores nothing."]
    }
    var mapped = Set<String>()
    for line in String(decoding: config.content, as: UTF8.self).split(separator: "\n") {
        guard line.hasPrefix("#qmdump#map:") else { continue }
        let fields = line.dropFirst("#qmdump#map:".count).split(separator: ":", omittingEmptySubsequences: false)
        if fields.count == 5 { mapped.insert(String(fields[1])) }
    }
    let missing = devices.filter { !mapped.contains($0) }.map {
        let key = $0.hasPrefix("drive-") ? $0.dropFirst(6) : $0[...]
        return "qemu-server.conf has no line #qmdump#map:\(key):\($0)::raw: so Proxmox VE refuses to restore \($0)."
    }
    let unknown = mapped.subtracting(devices).sorted().map {
        "qemu-server.conf maps \($0), which is not in the archive; Proxmox VE refuses to restore it."
    }
    return missing + unknown
}
