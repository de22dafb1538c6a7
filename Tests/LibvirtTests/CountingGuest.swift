import Foundation
import Libvirt
import Machines
import Scopes

/// A guest that counts for ever: it writes the number to both its disks' second sector, then to its serial port.
struct CountingGuest {
    let folder: String
    var description: MachineDescription

    /// ```
    ///         xor ax, ax ; mov ds, ax ; mov es, ax ; mov ss, ax ; mov sp, 7C00h
    ///         mov bx, 8000h ; mov dword [bx], 0
    /// again:  inc dword [bx] ; mov dl, 81h
    /// write:  mov ax, 0301h ; mov cx, 2 ; mov dh, 0 ; push dx ; int 13h ; pop dx ; dec dl ; js write
    ///         mov dx, 3F8h ; mov edi, [bx] ; mov cx, 8
    /// digit:  rol edi, 4 ; mov eax, edi ; and al, 15 ; add al, 'a' ; out dx, al ; loop digit
    ///         mov al, 10 ; out dx, al ; jmp again
    /// ```
    static let code: [UInt8] = [
        0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xC0, 0x8E, 0xD0, 0xBC, 0x00, 0x7C, 0xBB, 0x00, 0x80, 0x66, 0xC7, 0x07, 0x00,
        0x00, 0x00, 0x00, 0x66, 0xFF, 0x07, 0xB2, 0x81, 0xB8, 0x01, 0x03, 0xB9, 0x02, 0x00, 0xB6, 0x00, 0x52, 0xCD,
        0x13, 0x5A, 0xFE, 0xCA, 0x78, 0xF0, 0xBA, 0xF8, 0x03, 0x66, 0x8B, 0x3F, 0xB9, 0x08, 0x00, 0x66, 0xC1, 0xC7,
        0x04, 0x66, 0x89, 0xF8, 0x24, 0x0F, 0x04, 0x61, 0xEE, 0xE2, 0xF2, 0xB0, 0x0A, 0xEE, 0xEB, 0xCF,
    ]

    /// Makes the disks, in a folder whose name needs escapes.
    init(_ description: MachineDescription, code: [UInt8] = code) throws {
        folder = NSTemporaryDirectory() + "ingot-it's <a> & b-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        var boot = code + [UInt8](repeating: 0, count: (1 << 20) - code.count)
        (boot[510], boot[511]) = (0x55, 0xAA)
        self.description = description
        for name in ["first", "second"] {
            try Data(boot).write(to: URL(filePath: "\(folder)/\(name)"))
            self.description.disks.append(
                .init(
                    path: "\(folder)/\(name)", format: "raw", bus: .virtio, cache: "unsafe", discard: "ignore",
                    detectZeroes: "off"))
        }
        self.description.serialPath = folder + "/serial"
        // The firmware would leave out the disks that are not to be booted from.
        self.description.arguments = ["-boot", "strict=off"]
    }

    func remove() throws { try FileManager.default.removeItem(atPath: folder) }

    func overlays(_ suffix: String) -> [(disk: String, overlay: String, format: String?)] {
        description.disks.map { ($0.path, "\($0.path)-\(suffix)", "raw") }
    }

    /// The machine under another name, with overlays of its own on the disks as they were frozen.
    func twin(_ suffix: String, on hypervisor: Hypervisor) async throws -> CountingGuest {
        var twin = self
        twin.description.name += "-" + suffix
        twin.description.uuid = UUID().uuidString
        twin.description.serialPath = "\(folder)/serial-\(suffix)"
        twin.description.screen = .socket(hypervisor.socketPath(for: suffix + String(description.name.suffix(10))))
        for index in description.disks.indices {
            let (path, format) = (description.disks[index].path, description.disks[index].format)
            twin.description.disks[index].path = "\(path)-\(suffix)"
            twin.description.disks[index].format = "qcow2"
            try await imageTool(
                ["create", "-q", "-f", "qcow2", "-b", path, "-F", format, "\(path)-\(suffix)"])
        }
        return twin
    }

    /// What the guest has counted to; nil before it has.
    var counts: [UInt32] {
        // The file comes with the machine.
        let text = (try? String(contentsOfFile: description.serialPath ?? "", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").dropLast().compactMap { line in
            guard line.utf8.count == 8, line.utf8.allSatisfy({ (97..<113).contains($0) }) else { return nil }
            return line.utf8.reduce(0) { $0 << 4 | UInt32($1 - 97) }
        }
    }

    /// Waits until the guest counts further.
    ///
    /// - Returns: Everything it has counted.
    @discardableResult
    func waitForMore() async throws -> [UInt32] {
        let known = counts.count
        return try await poll("waiting for the guest to count", every: .milliseconds(50), limit: .seconds(60)) {
            let counts = counts
            return counts.count > known + 5 ? counts : nil
        }
    }

    /// The number on a disk without layers.
    func number(on path: String) throws -> UInt32 {
        let data = try Data(contentsOf: URL(filePath: path))
        return data.dropFirst(512).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// Runs qemu-img.
///
/// - Returns: What it says.
@discardableResult
func imageTool(_ arguments: [String]) async throws -> String {
    let output = NSTemporaryDirectory() + "ingot-\(UUID().uuidString).out"
    defer { unlink(output) }
    let status = try await onOwnThread("qemu-img") { _ in run(["qemu-img"] + arguments, output: output) }
    let text = try String(contentsOfFile: output, encoding: .utf8)
    guard status == 0 else { throw BuildError("run qemu-img", because: text) }
    return text
}
