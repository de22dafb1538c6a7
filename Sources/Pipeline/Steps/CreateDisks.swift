import DiskImages
import Foundation
import Scopes
import Templates

/// Makes the machine's disks: empty ones, or from the image that the template starts from.
struct CreateDisks: Sendable {
    let source: QemuSource
    let reporter: Reporter
    private let qemuImg = QemuImg()

    func run(_ workspace: Workspace, _ medium: String) async throws -> Disks {
        let disk = source.disk
        let format = disk.format.rawValue
        let main = workspace.output + "/" + source.vmName
        if !source.input.isDiskImage {
            try await qemuImg.create(main, format: format, size: disk.size, arguments: disk.createArguments)
        } else if disk.usesBackingFile {
            try await qemuImg.create(
                main, format: format, size: disk.sizeIsGiven ? disk.size : nil, backing: (medium, "qcow2"),
                arguments: disk.createArguments)
        } else {
            try await copy(medium, to: main)
        }
        var paths = [main]
        for (index, size) in disk.additionalSizes.enumerated() {
            let path = "\(main)-\(index + 1)"
            try await qemuImg.create(path, format: format, size: size, arguments: disk.createArguments)
            paths.append(path)
        }
        return Disks(paths: paths, format: format)
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
