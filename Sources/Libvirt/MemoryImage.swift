package import Foundation
import Machines

/// A file with a machine's memory and devices, as libvirt's qemu driver writes it: a header with the machine's XML, then
/// QEMU's own stream. The stream knows no names, so under another header it becomes another machine.
///
/// The header is 92 bytes in the host's byte order: 16 of magic, then as 32 bits each the version (2), the length of
/// what follows, whether the machine ran, the compression, where in what follows the cookie begins, and 14 that are
/// unused. The XML follows with a zero at its end, the cookie likewise, and zeros for a longer XML.
package struct MemoryImage {
    /// Where QEMU's stream begins, from the start of the file.
    package let streamOffset: UInt64
    /// The machine that was frozen.
    package let xml: String

    private static let magic = "LibvirtQemudSave"
    private static let fixedLength = 92
    private static let longest = 4 << 20

    /// Reads a file's header.
    ///
    /// - Throws: `LibvirtError` when it is no such file, or damaged.
    package init(of path: String) throws {
        func refused(_ reason: String) -> LibvirtError {
            LibvirtError("reading the memory image \(path)", because: reason)
        }
        let file = Foundation.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw refused(String(cString: strerror(errno))) }
        defer { close(file) }
        func read(_ count: Int, at offset: Int) throws -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            var done = 0
            while done < count {
                let part = bytes.withUnsafeMutableBytes { buffer in
                    pread(file, buffer.baseAddress.map { $0 + done }, count - done, off_t(offset + done))
                }
                if part < 0, errno == EINTR { continue }
                guard part >= 0 else { throw refused(String(cString: strerror(errno))) }
                guard part > 0 else { throw refused("it ends within its header") }
                done += part
            }
            return bytes
        }
        let fixed = try read(Self.fixedLength, at: 0)
        func number(_ index: Int) -> UInt32 {
            fixed.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16 + 4 * index, as: UInt32.self) }
        }
        switch String(decoding: fixed.prefix(16), as: UTF8.self) {
        case Self.magic: break
        case "LibvirtQemudPart": throw refused("it was not written to its end")
        default: throw refused("its first bytes are not \(Self.magic)")
        }
        guard number(0) == 2 else { throw refused("its version is \(number(0)); 2 is known") }
        guard number(3) == 0 else { throw refused("its stream is compressed; see save_image_format in qemu.conf") }
        guard number(1) > 0, number(1) <= Self.longest, number(4) <= number(1) else {
            throw refused("its header is damaged: \(number(1)) bytes of description, \(number(4)) of them XML")
        }
        let length = Int(number(1))
        let text = try read(length, at: Self.fixedLength).prefix { $0 != 0 }
        guard text.count < length, let xml = String(validating: text, as: UTF8.self), xml.contains("<domain") else {
            throw refused("its header is damaged: it has no XML")
        }
        self.xml = xml
        let start = Self.fixedLength + length
        // What every stream of QEMU's begins with.
        guard try read(4, at: start) == Array("QEVM".utf8) else {
            throw refused("QEMU's stream does not begin at \(start)")
        }
        streamOffset = UInt64(start)
    }

    /// The UEFI code and the template of its variables that libvirt has chosen for the frozen machine.
    var firmware: (code: String, template: String?)? {
        guard let code = xml.firstMatch(of: /<loader [^>]*>([^<]+)<\/loader>/) else { return nil }
        let template = xml.firstMatch(of: /<nvram [^>]*template='([^']+)'/)
        return (XML.unescaped(code.1), template.map { XML.unescaped($0.1) })
    }

    package static func streamOffset(of path: String) throws -> UInt64 { try MemoryImage(of: path).streamOffset }

    /// What goes before a stream, so that `Hypervisor.restore` starts it as the machine of `xml`.
    ///
    /// - Parameter length: How long the header shall be, in bytes; longer when the XML needs it.
    /// - Throws: `LibvirtError` for an XML of several MiB.
    package static func header(xml: String, length: Int = 0) throws -> Data {
        let text = Array(xml.utf8) + [0]
        guard text.count <= longest, length <= fixedLength + longest else {
            throw LibvirtError("composing a memory image", because: "its XML has \(text.count) bytes")
        }
        let padding = max(0, length - fixedLength - text.count)
        var data = Data(magic.utf8)
        let isRunning: UInt32 = 1
        let numbers = [2, UInt32(text.count + padding), isRunning, 0, 0] + [UInt32](repeating: 0, count: 14)
        for number in numbers { withUnsafeBytes(of: number) { data.append(contentsOf: $0) } }
        data.append(contentsOf: text)
        data.append(Data(count: padding))
        return data
    }
}

extension MachineDescription {
    /// Takes over the UEFI code that a frozen machine has in its memory, since libvirt chooses none for a machine that is
    /// restored.
    package mutating func adoptFirmware(of memory: MemoryImage) {
        guard case .efi(nil, let template, let vars) = firmware, let frozen = memory.firmware else { return }
        firmware = .efi(code: frozen.code, template: template ?? frozen.template, vars: vars)
    }
}
