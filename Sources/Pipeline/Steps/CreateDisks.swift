import ComponentModel
import DiskImages
import Foundation
import Scopes
import Templates

/// Makes the machine's disks: empty ones, or from the image that the template starts from.
struct CreateDisks: Sendable {
    let source: QemuSource
    let reporter: Reporter
    private let qemuImg = QemuImg()

    /// - Parameters:
    ///   - names: Their paths, the main one first.
    ///   - medium: The installation medium.
    func run(_ names: [String], _ medium: String) async throws -> Disks {
        let disk = source.disk
        let format = disk.format.rawValue
        let main = names[0]
        if !source.input.isDiskImage {
            try await qemuImg.create(main, format: format, size: disk.size, arguments: disk.createArguments)
        } else if disk.usesBackingFile {
            try await qemuImg.create(
                main, format: format, size: try await overlaySize(medium), backing: (medium, "qcow2"),
                arguments: disk.createArguments)
        } else {
            try await copy(medium, to: main)
        }
        for (path, size) in zip(names.dropFirst(), disk.additionalSizes) {
            try await qemuImg.create(path, format: format, size: size, arguments: disk.createArguments)
        }
        return Disks(paths: names, format: format)
    }

    /// As a copy of the image would get; nil: the image's own.
    private func overlaySize(_ medium: String) async throws -> Int64? {
        let disk = source.disk
        if disk.sizeIsGiven { return disk.size }
        let size = try await qemuImg.info(medium, format: "qcow2").virtualSize
        return disk.skipsResize || disk.size < size ? nil : disk.size
    }

    private func copy(_ medium: String, to main: String) async throws {
        let disk = source.disk
        let format = disk.format.rawValue
        try await qemuImg.convert(medium, to: main, format: format) { [reporter] in
            reporter.report(.progress(fraction: $0), "copying the disk image")
        }
        if disk.skipsResize { return }
        let size = try await qemuImg.info(main).virtualSize
        if disk.sizeIsGiven || disk.size > size {
            try await qemuImg.resize(main, format: format, size: disk.size, arguments: disk.resizeArguments)
        }
    }
}
