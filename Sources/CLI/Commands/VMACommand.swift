import ArgumentParser
import DiskImages
import Foundation
import Scopes
import VMA

struct VMACommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vma", abstract: "Reads and writes Proxmox VE's backup archives.",
        subcommands: [List.self, Verify.self, Extract.self, Create.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists the contents of an archive.")

        @Argument(help: "An archive, which may be compressed with zstd or gzip.", completion: .file())
        var file: String

        func run() async throws {
            print(describe(try await listArchive(file)))
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Reads a whole archive and checks every checksum and every cluster of every disk."
        )

        @Argument(help: "An archive, which may be compressed with zstd or gzip.", completion: .file())
        var file: String

        func run() async throws {
            let (file, progress) = (file, CopyProgress())
            let summary = try await interruptible(progress) {
                try await verifyArchive(file) { progress.show("verifying", $0) }
            }
            print(describe(summary.header))
            print(
                "\(summary.extents) extents, \(byteText(summary.storedBlocks * 4096)) stored, "
                    + "\(byteText(summary.zeroClusters * 65536)) of empty clusters: the archive is whole.")
        }
    }

    struct Extract: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "extract", abstract: "Extracts the files of an archive, and its disks as sparse raw images.")

        @Option(help: ArgumentHelp("Extracts only this disk, such as drive-scsi0.", valueName: "name"))
        var device: String?

        @Argument(help: "An archive, which may be compressed with zstd or gzip.", completion: .file())
        var file: String

        @Argument(help: "The folder to extract to; created if it does not exist.", completion: .directory)
        var folder: String

        func run() async throws {
            let (file, folder, device, progress) = (file, folder, device, CopyProgress())
            let summary = try await interruptible(progress) {
                try await extractArchive(file, to: folder, device: device) { progress.show("extracting", $0) }
            }
            if device == nil { for config in summary.header.configs { print("\(folder)/\(config.name)") } }
            for disk in summary.header.devices where device == nil || disk.name == device {
                print("\(folder)/\(disk.fileName)")
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Writes an archive of disk images that Proxmox VE restores.",
            discussion: """
                A name that ends in .vma.zst gives a compressed archive. The names of the disks are those of the \
                machine's configuration: drive-scsi0=disk.qcow2 drive-efidisk0=vars.fd
                """)

        @Option(help: ArgumentHelp("The machine's qemu-server.conf.", valueName: "file"), completion: .file())
        var config: String

        @Option(help: ArgumentHelp("The machine's firewall rules.", valueName: "file"), completion: .file())
        var firewall: String?

        @Option(
            help: ArgumentHelp(
                "The disks' format, whatever their content; give raw for disks of a guest you do not trust.",
                valueName: "format"))
        var format: ImageFormat?

        @Option(help: ArgumentHelp("The zstd level, 1 to 22.", valueName: "n"))
        var level = 3

        @Option(help: ArgumentHelp("Compression threads; by default, one per processor.", valueName: "n"))
        var threads: Int?

        @Flag(help: "Replaces an existing archive once the new one is complete.")
        var force = false

        @Argument(help: "The archive to write: .vma or .vma.zst.", completion: .file())
        var file: String

        @Argument(help: ArgumentHelp("Disk images.", valueName: "device=disk"))
        var disks: [String]

        func run() async throws {
            let name = file.lowercased()
            guard name.hasSuffix(".vma") || name.hasSuffix(".vma.zst") else {
                throw UsageError(
                    message: "The name of the archive must end in .vma or .vma.zst; Proxmox VE recognises it by that.")
            }
            if !force, access(file, F_OK) == 0 {
                throw BuildError("make \(file)", because: "it exists already", hint: "Add --force to replace it.")
            }
            var pairs: [(name: String, path: String)] = []
            for disk in disks {
                let parts = disk.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else {
                    throw UsageError(
                        message: "“\(disk)” is not of the form DEVICE=DISK, such as drive-scsi0=disk.qcow2.")
                }
                pairs.append((String(parts[0]), String(parts[1])))
            }
            var configs = [ArchiveConfig(name: "qemu-server.conf", content: try contents(of: config))]
            if let firewall {
                configs.append(ArchiveConfig(name: "qemu-server.fw", content: try contents(of: firewall)))
            }
            for problem in restoreProblems(configs, devices: pairs.map(\.name)) { writeError("Warning: \(problem)") }
            let compression: ArchiveCompression =
                name.hasSuffix(".zst") ? .zstd(level: level, threads: threads) : .none
            let (file, format, progress) = (file, format, CopyProgress())
            let size = try await interruptible(progress) { [pairs, configs] in
                try await archiveDisks(
                    pairs, format: format, configs: configs, compression: compression, to: file
                ) { progress.show($0, $1) }
            }
            noteName(ofArchive: file)
            print("\(file): \(pairs.count) disk\(pairs.count == 1 ? "" : "s"), \(byteText(size))")
        }
    }
}

private func describe(_ header: ArchiveHeader) -> String {
    let date = Date(timeIntervalSince1970: Double(header.time)).formatted(.iso8601)
    var lines = ["archive \(header.uuid.uuidString.lowercased()) of \(date)"]
    lines += header.configs.map { "file  \($0.name)  \(byteText(UInt64($0.content.count)))" }
    lines += header.devices.map { "disk  \($0.name)  \(byteText($0.size)) (\($0.size) bytes)" }
    return lines.joined(separator: "\n")
}
