import ArgumentParser
import Conversion
import DiskImages
import Foundation
import ProxmoxConfiguration
import Scopes

struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Copies a disk image into another format and verifies the copy.",
        discussion: """
            The input's format is detected from its content; the output's follows from its suffix: .qcow2, .raw, .img, \
            .vmdk, .vdi, .vhdx, .vhd, and .vma or .vma.zst for Proxmox VE. Unallocated space stays unallocated.
            """)

    @Option(help: ArgumentHelp("The output's format, whatever its suffix.", valueName: "format"))
    var format: ImageFormat?

    @Option(
        help: ArgumentHelp(
            "The input's format, whatever its content; use raw for a raw disk of a guest you do not trust.",
            valueName: "format"))
    var inputFormat: ImageFormat?

    @Flag(help: "Compresses the output: qcow2 or vmdk.")
    var compress = false

    @Option(help: ArgumentHelp("For a compressed qcow2: zlib or zstd.", valueName: "type"))
    var compression: QcowCompression?

    @Option(help: ArgumentHelp("For .vma.zst: the zstd level, 1 to 22.", valueName: "n"))
    var level: Int?

    @Option(help: ArgumentHelp("For .vma.zst: compression threads; by default, one per processor.", valueName: "n"))
    var threads: Int?

    @Option(
        help: ArgumentHelp("For .vma: the machine's qemu-server.conf; by default, a minimal one.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The disk's name in the archive, such as drive-scsi0.", valueName: "name"))
    var device: String?

    @Flag(help: "Replaces an existing output once the new one is complete.")
    var force = false

    @Argument(help: "A disk image or a VMA archive.", completion: .file())
    var input: String

    @Argument(help: "The image to make.", completion: .file())
    var output: String

    func run() async throws {
        var conversion = ConvertImage(input: input, output: output)
        conversion.inputFormat = inputFormat
        conversion.outputFormat = format
        conversion.isCompressed = compress
        conversion.compressionType = compression?.rawValue
        conversion.level = level
        conversion.threads = threads
        if let config { conversion.config = try contents(of: config) }
        conversion.device = device
        conversion.replaces = force
        let progress = CopyProgress()
        let work = conversion
        let outcome = try await interruptible(progress) {
            try await work.run { phase, part in progress.show(phase.rawValue, part) }
        }
        if let backing = outcome.backingFile {
            writeError("Note: \(input) has the backing file \(backing); the copy contains the data of both.")
        }
        if outcome.outputFormat == .vma { noteName(ofArchive: output) }
        print(
            "\(output): \(outcome.outputFormat.rawValue), \(byteText(outcome.size)), "
                + "\(byteText(outcome.occupied)) on disk; written in \(outcome.writing.text), "
                + "verified in \(outcome.verifying.text)")
    }
}

enum QcowCompression: String, ExpressibleByArgument { case zlib, zstd }

extension ImageFormat: ExpressibleByArgument {
    /// Takes the formats' own names, and suffixes such as `vhd` and `img`.
    package init?(argument: String) {
        guard let format = ImageFormat(rawValue: argument) ?? ImageFormat(ending: "." + argument) else { return nil }
        self = format
    }
}

/// Says which name an archive needs, where it has another one.
func noteName(ofArchive path: String) {
    guard !BackupName.isRestorable(URL(filePath: path).lastPathComponent),
        // The machine's number is a valid one.
        let name = try? BackupName(vmid: 100, created: Date()).description
    else { return }
    let shown = path.lowercased().hasSuffix(".zst") ? name : String(name.dropLast(".zst".count))
    writeError(
        "Note: Proxmox VE restores an archive from a storage only under a name such as \(shown); copy or rename it to that."
    )
}

/// The contents of a small file that the user named.
func contents(of path: String) throws -> Data {
    try attemptingNow("read \(path)") { try Data(contentsOf: URL(filePath: path)) }
}

private func attemptingNow<Value>(_ operation: String, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch { throw BuildError(operation: operation, underlying: error) }
}

/// Runs work that the first Ctrl-C or SIGTERM cancels, and throws the exit code of an interrupted command then.
func interruptible<Value: Sendable>(
    _ progress: CopyProgress, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    defer { progress.end() }
    let (value, signal) = try await Interruption().run(announce: { _ in
        progress.end()
        writeError("Stopping and cleaning up. Press Ctrl-C again to leave at once.")
    }) { () async throws -> Value? in
        do { return try await body() } catch is CancellationError { return nil }
    }
    guard let value else { throw ExitCode(128 + (signal ?? SIGINT)) }
    return value
}

/// A size in the largest fitting unit: "1.5 GiB", "528 KiB".
func byteText(_ bytes: UInt64) -> String {
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, UInt64)] where bytes >= 1 << shift {
        let tenths = (Double(bytes) / Double(UInt64(1) << shift) * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths)) \(unit)" : "\(tenths) \(unit)"
    }
    return "\(bytes) bytes"
}
