import Foundation
import Scopes

/// The format of a disk image or an archive of disks, detected from its content.
package enum ImageFormat: String, Sendable, CaseIterable {
    case raw, qcow2, vmdk, vdi, vhdx, vpc, qed, parallels, luks, dmg
    case vma
    /// What these hold is known only once unpacked.
    case zstd, gzip

    /// Looks at the first bytes, and at the last ones where a format has its mark there.
    ///
    /// A disk that a guest wrote as raw can claim to be anything: pass its format on instead of looking.
    package init(ofFile path: String) throws {
        let file = try RawDisk(path)
        var start = [UInt8](repeating: 0, count: Int(min(file.fileSize, 512)))
        try start.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        var end: [UInt8] = []
        if file.fileSize >= 1024 {
            end = [UInt8](repeating: 0, count: 512)
            try end.withUnsafeMutableBytes { try file.read(at: file.fileSize - 512, into: $0) }
        }
        self = Self.marked(start) ?? Self.marked(end, atEnd: path) ?? .raw
    }

    /// The format for an output's name; nil: the ending says nothing.
    package init?(ending path: String) {
        let name = URL(filePath: path).lastPathComponent.lowercased()
        if name.hasSuffix(".vma.zst") || name.hasSuffix(".vma") {
            self = .vma
            return
        }
        switch name.split(separator: ".").last.map(String.init) {
        case "raw", "img": self = .raw
        case "qcow2": self = .qcow2
        case "vmdk": self = .vmdk
        case "vdi": self = .vdi
        case "vhdx": self = .vhdx
        case "vhd", "vpc": self = .vpc
        case "qed": self = .qed
        default: return nil
        }
    }

    private static let marks: [(ImageFormat, offset: Int, [UInt8])] = [
        (.qcow2, 0, Qcow2Header.magic), (.vmdk, 0, Array("KDMV".utf8)), (.vmdk, 0, Array("COWD".utf8)),
        (.vmdk, 0, Array("# Disk DescriptorFile".utf8)), (.vdi, 0x40, [0x7F, 0x10, 0xDA, 0xBE]),
        (.vhdx, 0, Array("vhdxfile".utf8)), (.vpc, 0, Array("conectix".utf8)), (.qed, 0, Array("QED\0".utf8)),
        (.parallels, 0, Array("WithoutFreeSpace".utf8)), (.parallels, 0, Array("WithouFreSpacExt".utf8)),
        (.luks, 0, Array("LUKS".utf8) + [0xBA, 0xBE]), (.vma, 0, Array("VMA\0".utf8)),
        (.zstd, 0, [0x28, 0xB5, 0x2F, 0xFD]), (.gzip, 0, [0x1F, 0x8B, 8]),
    ]

    private static func marked(_ bytes: [UInt8]) -> ImageFormat? {
        marks.first { bytes.dropFirst($0.offset).starts(with: $0.2) }?.0
    }

    /// A fixed VHD is a raw disk with a footer; only a file that says so by its name too is taken for one.
    private static func marked(_ bytes: [UInt8], atEnd path: String) -> ImageFormat? {
        if ImageFormat(ending: path) == .vpc, bytes.starts(with: Array("conectix".utf8)) { return .vpc }
        if path.lowercased().hasSuffix(".dmg"), bytes.starts(with: Array("koly".utf8)) { return .dmg }
        return nil
    }
}

/// A disk that can be read in pieces, and the temporary file behind it.
package struct OpenedDisk: Sendable {
    package var content: any DiskContent
    /// To be removed once the content is no longer read.
    package var temporary: String?

    /// Opens an image for reading.
    ///
    /// Raw and qcow2 images are read as they are; others are made a sparse raw file in `folder` first.
    package static func open(
        _ path: String, format: ImageFormat, temporaryIn folder: String, qemuImg: QemuImg = QemuImg(),
        onProgress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws -> OpenedDisk {
        if format == .raw { return OpenedDisk(content: try RawDisk(path)) }
        if format == .qcow2, let disk = try Qcow2Disk.open(path) { return OpenedDisk(content: disk) }
        let raw = "\(folder)/.ingot-\(UUID().uuidString.prefix(8)).raw"
        try await qemuImg.convert(
            path, sourceFormat: format.rawValue, to: raw, format: "raw", onProgress: onProgress)
        do {
            return OpenedDisk(content: try RawDisk(raw), temporary: raw)
        } catch {
            unlink(raw)
            throw error
        }
    }

    /// Removes the temporary file.
    package func remove() {
        if let temporary { unlink(temporary) }
    }
}
