package import DiskImages
package import Foundation
import Scopes
import VMA

/// Copies a disk image, or a disk of a VMA archive, into another format, and verifies the copy.
package struct ConvertImage: Sendable {
    package var input: String
    package var output: String
    /// Nil: as the input's content says.
    package var inputFormat: ImageFormat?
    /// Nil: as the output's name says.
    package var outputFormat: ImageFormat?
    package var isCompressed = false
    /// For qcow2: `zlib` or `zstd`.
    package var compressionType: String?
    /// For archives: zstd's level.
    package var level: Int?
    /// For archives: the compression's threads.
    package var threads: Int?
    /// For archives: the `qemu-server.conf`; nil: a minimal one.
    package var config: Data?
    /// The disk's name in an archive; nil: the only one, and `drive-scsi0` in a new one.
    package var device: String?
    /// Whether an output of that name may be replaced.
    package var replaces = false
    package var qemuImg = QemuImg()

    package init(input: String, output: String) {
        self.input = input
        self.output = output
    }

    /// What is being done.
    package enum Phase: String, Sendable { case unpacking, writing, verifying }

    /// What was read and written, and how long it took.
    package struct Outcome: Sendable {
        package var inputFormat: ImageFormat
        package var outputFormat: ImageFormat
        /// Bytes that a guest sees.
        package var size: UInt64
        /// Bytes that the output occupies.
        package var occupied: UInt64
        /// The input's backing file; nil: none.
        package var backingFile: String?
        package var writing = Duration.zero
        package var verifying = Duration.zero
    }

    /// Converts, verifies, and gives the output its name.
    ///
    /// - Parameter onProgress: What is being done, and the part of it that is done; called on other threads.
    package func run(onProgress: @escaping @Sendable (Phase, Double) -> Void) async throws -> Outcome {
        let operation = "convert \(input) to \(output)"
        let format = try inputFormat ?? ImageFormat(ofFile: input)
        try requirePlausible(format, operation)
        let target = try targetFormat(operation)
        try requireFreeName(operation)
        let staged = "\(output).partial-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
        defer { for path in [staged, staged + ".raw"] { unlink(path) } }
        let outcome: Outcome
        do {
            outcome = try await write(format, target, to: staged, operation, onProgress)
        } catch var error as BuildError {
            // People know the output by its own name.
            error.operation = error.operation.replacing(staged, with: output)
            throw error
        }
        try requireFreeName(operation)
        guard rename(staged, output) == 0 else { throw Self.failure(operation) }
        try await qemuImg.flush(folder)
        return outcome
    }

    /// Makes and verifies the output under a temporary name.
    private func write(
        _ inputFormat: ImageFormat, _ target: ImageFormat, to staged: String, _ operation: String,
        _ onProgress: @escaping @Sendable (Phase, Double) -> Void
    ) async throws -> Outcome {
        var format = inputFormat
        let clock = ContinuousClock()
        let start = clock.now
        var source = input
        var unpacked: String?
        if format == .vma || format == .zstd || format == .gzip {
            let device = try await onlyDevice(operation)
            unpacked = device
            source = staged + ".raw"
            _ = try await extractDisk(input, device: device, to: source) { onProgress(.unpacking, $0) }
            format = .raw
        }
        var outcome = Outcome(
            inputFormat: unpacked == nil ? format : .vma, outputFormat: target, size: 0, occupied: 0)
        if target == .vma {
            try await writeArchive(source, format, to: staged, since: start, onProgress, &outcome)
        } else if target == .raw, let unpacked {
            guard rename(source, staged) == 0 else { throw Self.failure(operation) }
            outcome.writing = clock.now - start
            let disk = try RawDisk(staged)
            outcome.size = disk.size
            outcome.verifying = try await clock.measure {
                _ = try await compareArchive(input, with: [unpacked: disk]) { onProgress(.verifying, $0) }
            }
        } else {
            try await writeImage(source, format, target, to: staged, since: start, onProgress, &outcome)
        }
        var status = stat()
        if stat(staged, &status) == 0 { outcome.occupied = UInt64(max(status.st_blocks, 0)) * 512 }
        return outcome
    }

    private func writeArchive(
        _ source: String, _ format: ImageFormat, to staged: String, since start: ContinuousClock.Instant,
        _ onProgress: @escaping @Sendable (Phase, Double) -> Void, _ outcome: inout Outcome
    ) async throws {
        let disk = try await OpenedDisk.open(
            source, format: format, temporaryIn: folder, qemuImg: qemuImg
        ) { onProgress(.unpacking, $0) }
        defer { disk.remove() }
        if disk.temporary != nil { outcome.backingFile = try await backingFile(source, format) }
        let name = device ?? "drive-scsi0"
        let machine =
            config
            ?? minimalMachine(
                name: String(URL(filePath: output).lastPathComponent.split(separator: ".").first ?? "image"),
                device: name, size: disk.content.size)
        let isPacked = output.lowercased().hasSuffix(".zst") || isCompressed
        let archive = CreateArchive(
            configs: [ArchiveConfig(name: "qemu-server.conf", content: machine)], disks: [(name, disk.content)],
            compression: isPacked ? .zstd(level: level ?? 3, threads: threads) : .none)
        try await archive.write(to: staged) { onProgress(.writing, $0) }
        outcome.size = disk.content.size
        outcome.writing = ContinuousClock().now - start
        outcome.verifying = try await ContinuousClock().measure {
            _ = try await compareArchive(staged, with: [name: disk.content]) { onProgress(.verifying, $0) }
        }
    }

    private func writeImage(
        _ source: String, _ format: ImageFormat, _ target: ImageFormat, to staged: String,
        since start: ContinuousClock.Instant, _ onProgress: @escaping @Sendable (Phase, Double) -> Void,
        _ outcome: inout Outcome
    ) async throws {
        outcome.backingFile = try await backingFile(source, format)
        // What is cut off would read as zeros, in the copy and in the comparison alike.
        if format != .raw { try await qemuImg.check(source, format: format.rawValue) }
        try await qemuImg.convert(
            source, sourceFormat: format.rawValue, to: staged, format: target.rawValue,
            isCompressed: isCompressed && target == .qcow2, isFlushed: false, arguments: creationOptions(target)
        ) { onProgress(.writing, $0) }
        let written = ContinuousClock().now
        outcome.writing = written - start
        // The medium takes in what the comparison reads from memory, both at the same time.
        async let flushed: Void = qemuImg.flush(staged)
        outcome.size = UInt64(max(try await qemuImg.info(staged, format: target.rawValue).virtualSize, 0))
        try await qemuImg.compare(
            source, format: format.rawValue, with: staged, secondFormat: target.rawValue
        ) { onProgress(.verifying, $0) }
        try await flushed
        outcome.verifying = ContinuousClock().now - written
    }

    private func creationOptions(_ target: ImageFormat) -> [String] {
        switch target {
        case .qcow2: compressionType.map { ["-o", "compression_type=\($0)"] } ?? []
        case .vmdk: isCompressed ? ["-o", "subformat=streamOptimized"] : []
        // Without it the size becomes that of an old disk's geometry.
        case .vpc: ["-o", "force_size=on"]
        default: []
        }
    }

    private func backingFile(_ path: String, _ format: ImageFormat) async throws -> String? {
        format == .raw ? nil : try await qemuImg.layers(of: path, format: format.rawValue).first?.info.backingFile
    }

    /// The format to write, with what was asked for possible in it.
    private func targetFormat(_ operation: String) throws -> ImageFormat {
        guard let target = outputFormat ?? ImageFormat(ending: output) else {
            throw BuildError(
                operation, because: "the output's name does not show its format",
                hint: "Name it .qcow2, .raw, .img, .vma, .vma.zst, .vmdk, .vdi, .vhdx or .vhd, or give --format.")
        }
        func refuse(_ reason: String, _ hint: String) -> BuildError {
            BuildError(operation, because: reason, hint: hint)
        }
        switch target {
        case .zstd, .gzip, .luks, .dmg:
            throw refuse("\(target.rawValue) cannot be written", "Choose another format.")
        case .vma:
            if isCompressed, output.lowercased().hasSuffix(".vma") {
                throw refuse(
                    "Proxmox VE takes an archive of that name for uncompressed", "Name it .vma.zst.")
            }
        case .qcow2, .vmdk: break
        default:
            if isCompressed { throw refuse("\(target.rawValue) images cannot be compressed", "Leave --compress out.") }
        }
        if compressionType != nil, target != .qcow2 || !isCompressed {
            throw refuse("only compressed qcow2 images have a compression type", "Add --compress, or leave it out.")
        }
        if level != nil || threads != nil || config != nil, target != .vma {
            throw refuse("only archives take a level, threads and a machine's configuration", "Leave them out.")
        }
        return target
    }

    /// Anything can be a raw disk; an empty file, or one whose name says otherwise, is probably a mistake.
    private func requirePlausible(_ format: ImageFormat, _ operation: String) throws {
        guard format == .raw else { return }
        var status = stat()
        if stat(input, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size == 0 {
            throw BuildError(operation, because: "the input is empty", hint: "Was its copy cut off?")
        }
        guard inputFormat == nil, let named = ImageFormat(ending: input), named != .raw else { return }
        throw BuildError(
            operation, because: "the input's content is not \(named.rawValue), as its name says",
            hint: "If it is a raw disk, give --input-format raw.")
    }

    /// The output's name must be free, or replaceable.
    private func requireFreeName(_ operation: String) throws {
        var (old, new) = (stat(), stat())
        guard lstat(output, &new) == 0 else { return }
        if stat(input, &old) == 0, stat(output, &new) == 0, old.st_dev == new.st_dev, old.st_ino == new.st_ino {
            throw BuildError(operation, because: "they are the same file", hint: "Choose another name for the output.")
        }
        guard new.st_mode & S_IFMT == S_IFREG else {
            throw BuildError(
                operation, because: "the output exists and is not a regular file", hint: "Choose another name.")
        }
        guard replaces else {
            throw BuildError(operation, because: "the output exists already", hint: "Add --force to replace it.")
        }
    }

    private func onlyDevice(_ operation: String) async throws -> String {
        let devices = try await listArchive(input).devices.map(\.name)
        if let device, devices.contains(device) { return device }
        if device == nil, devices.count == 1, let only = devices.first { return only }
        throw BuildError(
            operation, because: "the archive contains \(devices.isEmpty ? "no disk" : devices.joined(separator: ", "))",
            hint: "Choose a disk with --device, or extract all of them: ingot vma extract \(input) FOLDER")
    }

    private var folder: String {
        let path = URL(filePath: output).deletingLastPathComponent().path
        return path.isEmpty ? "." : path
    }

    private static func failure(_ operation: String) -> BuildError {
        BuildError(operation, because: String(cString: strerror(errno)))
    }
}
