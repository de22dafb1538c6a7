import Checkpoints
import ComponentModel
import Foundation
import GoTemplates
import Libvirt
import Machines
import Media
import Scopes
import Templates

/// What the installation is made of: the medium, the machine, what is typed, and all that the guest is offered to read.
struct InstallStage {
    /// Counts up when Ingot itself treats a guest differently while it is installed.
    static let version = 1

    let source: QemuSource
    let context: RunContext
    /// nil: the files are only noted.
    let store: CheckpointStore?
    let files: NamedFiles?

    /// - Parameters:
    ///   - hardware: The machine, with nothing in it that differs from run to run.
    ///   - medium: Its path.
    func inputs(_ hardware: MachineDescription, medium: Medium) async throws -> [StageInput] {
        var inputs = StageInputs(store: store, context: context, files: files)
        inputs.add("the way Ingot installs", Self.version)
        // Not the checksum of the template, so that writing one down changes nothing; the digest is kept.
        try await inputs.add(file: medium.path, as: "the installation medium")
        addDisks(to: &inputs)
        try await addHardware(hardware, to: &inputs)
        try await addBoot(to: &inputs)
        try await addServed(to: &inputs)
        try await addSeeds(to: &inputs)
        return inputs.all
    }

    /// Notes every file that the installation is made of, whether or not it can be read.
    func noteFiles() async {
        var inputs = StageInputs(store: nil, context: context, files: files)
        for path in source.input.urls where !path.contains("://") { files?.note(context.absolute(path)) }
        // What is wrong with a file is reported by the build.
        try? await addMachineFiles(to: &inputs)
        try? await addBoot(to: &inputs)
        try? await addServed(to: &inputs)
        try? await addSeeds(to: &inputs)
    }

    private func addDisks(to inputs: inout StageInputs) {
        let disk = source.disk
        inputs.add("disk_size", disk.size)
        inputs.add("disk_additional_size", text: disk.additionalSizes.map(String.init).joined(separator: " "))
        guard source.input.isDiskImage else { return }
        // They decide what size the copy of the image gets.
        inputs.add("disk_image", true)
        inputs.add("whether disk_size is written", disk.sizeIsGiven)
        inputs.add("use_backing_file", disk.usesBackingFile)
        // Overlays without disk_size had the size of the image once.
        if disk.usesBackingFile, !disk.sizeIsGiven { inputs.add("the overlay's least size", disk.size) }
        inputs.add("skip_resize_disk", disk.skipsResize)
    }

    /// The options by their names, for people, and then all that this host and this Ingot make of them.
    private func addHardware(_ hardware: MachineDescription, to inputs: inout StageInputs) async throws {
        let machine = source.machine
        inputs.add("memory", hardware.memory)
        inputs.add("cpus", hardware.cpus)
        inputs.add("accelerator", hardware.accelerator)
        inputs.add("machine_type", text: hardware.machineType)
        inputs.add("cpu_model", hardware.cpu)
        inputs.add("disk_interface", source.disk.interface.rawValue)
        inputs.add("net_device", text: machine.netDevice)
        inputs.add("vga", hardware.vga)
        inputs.add("net_bridge", machine.netBridge)
        inputs.add("sockets", machine.sockets > 0 ? machine.sockets : nil)
        inputs.add("cores", machine.cores > 0 ? machine.cores : nil)
        inputs.add("threads", machine.threads > 0 ? machine.threads : nil)
        inputs.add("cdrom_interface", text: source.disk.cdromInterface)
        inputs.add("disk_cache", source.disk.cache)
        inputs.add("disk_discard", text: source.disk.discard)
        inputs.add("disk_detect_zeroes", text: source.disk.detectZeroes)
        inputs.add("vtpm", machine.tpm.map { "\($0.deviceType) \($0.version)" })
        if case .efi = machine.firmware { inputs.add("efi_boot", true) }
        let arguments = machine.qemuArguments.map { "\($0.flag)\0\($0.value)" }.joined(separator: "\0")
        inputs.add("qemuargs", text: relative(arguments))
        try await addMachineFiles(to: &inputs)
        inputs.add("the machine's hardware", text: relative(domainXML(hardware)))
    }

    private func addMachineFiles(to inputs: inout StageInputs) async throws {
        for path in source.machine.qemuArguments.flatMap({ ArgumentPaths.inputs($0.flag, $0.value) }).map(
            context.absolute)
        {
            // Else it is a template, an address, or one of QEMU's own files.
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
            if isFolder.boolValue {
                try await inputs.add(tree: path, as: context.shown(path))
            } else {
                try await inputs.add(file: path, as: context.shown(path))
            }
        }
        for (option, path) in firmwareFiles {
            inputs.add(option, text: URL(filePath: path).lastPathComponent)
            // Else it is one of QEMU's own, or libvirt chooses.
            guard FileManager.default.fileExists(atPath: context.absolute(path)) else { continue }
            try await inputs.add(file: path, as: path)
        }
    }

    /// A folder that is moved with all that is in it is no change.
    private func relative(_ text: String) -> String { text.replacing(context.workingDirectory + "/", with: "") }

    private var firmwareFiles: [(option: String, path: String)] {
        switch source.machine.firmware {
        case .bios: []
        case .file(let path, _): [("firmware", path)]
        case .efi(let code, let vars, _):
            [("efi_firmware_code", code), ("efi_firmware_vars", vars)].compactMap { option, path in
                path.map { (option, $0) }
            }
        }
    }

    private func addBoot(to inputs: inout StageInputs) async throws {
        let boot = source.boot
        let named = source.machine.qemuArguments.reduce(boot.fields) { $0.union(templateFields(of: $1.value)) }
        if named.contains("Name") { inputs.add("vm_name", text: source.vmName) }
        inputs.add("boot_wait", boot.wait?.seconds)
        inputs.add("boot_key_interval", boot.keyInterval?.seconds)
        // Ports and keys are of one run; what stands for them is not.
        let fields = [
            "HTTPIP": source.machine.netBridge ?? "", "HTTPPort": "0", "Name": source.vmName, "SSHPublicKey": "<key>",
            "SyslogIP": "", "SyslogPort": "0",
        ]
        for step in boot.steps { inputs.add("boot_command", text: try context.render(step.command, data: fields)) }
        guard case .ssh(let ssh) = source.communicator, boot.fields.contains("SSHPublicKey") else { return }
        if let path = ssh.privateKeyFile { try await inputs.add(file: path, as: path) }
        inputs.add("temporary_key_pair_type", ssh.temporaryKeyType)
        inputs.add("temporary_key_pair_bits", ssh.temporaryKeyBits)
        inputs.add("temporary_key_pair_name", ssh.temporaryKeyName)
    }

    private func addServed(to inputs: inout StageInputs) async throws {
        if let directory = source.http.directory {
            try await inputs.add(tree: directory, as: directory, leavingOut: isOutOfReach)
        }
        for (path, text) in source.http.content.sorted(by: { $0.key < $1.key }) {
            inputs.add("http_content \(path)", text: text)
        }
    }

    /// Whether the guest cannot get a file of the served folder, or the file is an output of builds.
    private func isOutOfReach(_ path: String) -> Bool {
        let real = URL(filePath: path).resolvingSymlinksInPath().path
        // One that cannot be looked at is out of reach for a guest, too.
        let type = (try? FileManager.default.attributesOfItem(atPath: real))?[.type] as? FileAttributeType
        guard type == .typeRegular || type == .typeDirectory, FileManager.default.isReadableFile(atPath: real) else {
            return true
        }
        return Workspace.isPart(path, ofOutput: context.absolute(source.outputDirectory))
    }

    private func addSeeds(to inputs: inout StageInputs) async throws {
        let seeds = source.seeds
        if !seeds.cdFiles.isEmpty || !seeds.cdContent.isEmpty { inputs.add("cd_label", text: seeds.cdLabel) }
        if !seeds.floppyFiles.isEmpty || !seeds.floppyContent.isEmpty || !seeds.floppyDirectories.isEmpty {
            inputs.add("floppy_label", text: seeds.floppyLabel)
        }
        let lists = [
            ("cd_files", seeds.cdFiles), ("floppy_files", seeds.floppyFiles), ("floppy_dirs", seeds.floppyDirectories),
        ]
        for (option, patterns) in lists {
            for pattern in patterns {
                for path in try expandGlob(pattern, workingDirectory: context.workingDirectory) {
                    let label = "\(option) \(context.shown(path))"
                    let name = URL(filePath: path).standardizedFileURL.lastPathComponent
                    inputs.add(name: name, in: option, as: label)
                    try await inputs.add(tree: path, as: label)
                }
            }
        }
        for (path, text) in seeds.cdContent.sorted(by: { $0.key < $1.key }) {
            inputs.add("cd_content \(path)", text: text)
        }
        for (path, text) in seeds.floppyContent.sorted(by: { $0.key < $1.key }) {
            inputs.add("floppy_content \(path)", text: text)
        }
    }
}

/// The file to start from.
struct Medium: Sendable {
    /// Absolute.
    var path: String
}
