import Checkpoints
import Foundation
import Libvirt
import Media
import Scopes
import Templates

/// What the installation is made of: the medium, the machine, what is typed, and all that the guest is offered to read.
struct InstallStage {
    /// Counts up when Ingot itself treats a guest differently while it is installed.
    static let version = 1

    let source: QemuSource
    let context: RunContext
    let store: CheckpointStore
    let files: NamedFiles?

    /// - Parameters:
    ///   - xml: The machine, with nothing in it that differs from run to run.
    ///   - medium: Its path, and its checksum where the template gives one.
    func inputs(xml: String, medium: Medium) async throws -> [StageInput] {
        var inputs = StageInputs(store: store, context: context, files: files)
        inputs.add("the way Ingot installs", Self.version)
        if let checksum = medium.checksum {
            inputs.add("the installation medium", text: checksum)
        } else {
            try await inputs.add(file: medium.path, as: "the installation medium")
        }
        let (machine, disk) = (source.machine, source.disk)
        inputs.add("memory", machine.memory)
        inputs.add("cpus", machine.cpus)
        inputs.add("disk_size", disk.size)
        inputs.add("disk_additional_size", text: disk.additionalSizes.map(String.init).joined(separator: " "))
        inputs.add("disk_image", source.input.isDiskImage)
        inputs.add("skip_resize_disk", disk.skipsResize)
        inputs.add("qemuargs", text: machine.qemuArguments.map { "\($0.flag)\0\($0.value)" }.joined(separator: "\0"))
        inputs.add("the machine's hardware", text: xml)
        try addBoot(to: &inputs)
        try await addServed(to: &inputs)
        try await addSeeds(to: &inputs)
        return inputs.all
    }

    private func addBoot(to inputs: inout StageInputs) throws {
        let boot = source.boot
        inputs.add("boot_wait", boot.wait?.seconds)
        inputs.add("boot_key_interval", boot.keyInterval?.seconds)
        // Ports and keys are of one run; what stands for them is not.
        let fields = [
            "HTTPIP": source.machine.netBridge ?? "", "HTTPPort": "0", "Name": source.vmName, "SSHPublicKey": "<key>",
            "SyslogIP": "", "SyslogPort": "0",
        ]
        for step in boot.steps { inputs.add("boot_command", text: try context.render(step.command, data: fields)) }
        guard case .ssh(let ssh) = source.communicator,
            boot.steps.contains(where: { $0.command.contains("SSHPublicKey") })
        else { return }
        inputs.add("ssh_private_key_file", ssh.privateKeyFile)
        inputs.add("temporary_key_pair_type", ssh.temporaryKeyType)
        inputs.add("temporary_key_pair_bits", ssh.temporaryKeyBits)
        inputs.add("temporary_key_pair_name", ssh.temporaryKeyName)
    }

    private func addServed(to inputs: inout StageInputs) async throws {
        if let directory = source.http.directory { try await inputs.add(tree: directory, as: directory) }
        for (path, text) in source.http.content.sorted(by: { $0.key < $1.key }) {
            inputs.add("http_content \(path)", text: text)
        }
    }

    private func addSeeds(to inputs: inout StageInputs) async throws {
        let seeds = source.seeds
        if !seeds.cdFiles.isEmpty || !seeds.cdContent.isEmpty { inputs.add("cd_label", text: seeds.cdLabel) }
        if !seeds.floppyFiles.isEmpty || !seeds.floppyContent.isEmpty || !seeds.floppyDirectories.isEmpty {
            inputs.add("floppy_label", text: seeds.floppyLabel)
        }
        for pattern in seeds.cdFiles + seeds.floppyFiles + seeds.floppyDirectories {
            for path in try expandGlob(pattern, workingDirectory: context.workingDirectory) {
                // A folder's own name is on the medium, unless its content is asked for.
                inputs.add("the name of \(context.shown(path))", text: URL(filePath: path).lastPathComponent)
                try await inputs.add(tree: path, as: context.shown(path))
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
    /// `sha256:…` where the template gives one; the file has it.
    var checksum: String?
}
