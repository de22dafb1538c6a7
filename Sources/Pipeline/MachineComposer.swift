package import ComponentModel
import Foundation
import Libvirt
package import Machines
import Processes
package import RemoteFramebuffer
package import Scopes
import Templates

/// The machine that is to be started, and how to reach it.
package struct ComposedMachine: Sendable {
    package var description: MachineDescription
    package var vnc: VNCAddress?
    package var vncPassword: Sensitive<String>?
    /// `qemuargs` have taken the network over, with a forward of their own.
    package var ownsNetwork: Bool
    package var warnings: [String]
}

/// Turns a source's options into a machine.
package struct MachineComposer: Sendable {
    let source: QemuSource
    let name: String
    let accelerator: Accelerator
    let emulator: String
    let architecture: String
    let qemuVersion: String
    let workspace: Workspace
    let disks: Disks
    let seeds: Seeds
    let medium: String
    let serialPath: String
    let socketPath: String

    package init(
        source: QemuSource, name: String, accelerator: Accelerator, emulator: String, architecture: String,
        qemuVersion: String, workspace: Workspace, disks: Disks, seeds: Seeds, medium: String, serialPath: String,
        socketPath: String
    ) {
        self.source = source
        self.name = name
        self.accelerator = accelerator
        self.emulator = emulator
        self.architecture = architecture
        self.qemuVersion = qemuVersion
        self.workspace = workspace
        self.disks = disks
        self.seeds = seeds
        self.medium = medium
        self.serialPath = serialPath
        self.socketPath = socketPath
    }

    /// - Parameter render: Fills in a value of `qemuargs`.
    package func compose(render: (String) throws -> String) throws -> ComposedMachine {
        let settings = source.machine
        var machine = MachineDescription(
            name: name, memory: settings.memory, cpus: settings.cpus, machineType: settings.machineType,
            architecture: architecture, emulator: emulator, accelerator: accelerator, disks: drives, cdroms: cdroms,
            network: network)
        (machine.sockets, machine.cores, machine.threads) = (settings.sockets, settings.cores, settings.threads)
        machine.floppy = seeds.floppy
        let cdromInterface = source.disk.cdromInterface
        machine.cdromBus = MachineDescription.CDROMBus(
            rawValue: cdromInterface == "virtio-scsi" ? "scsi" : cdromInterface)
        machine.vga = settings.vga
        machine.serialPath = serialPath
        machine.tpm = settings.tpm.map { (model: $0.deviceType, version: $0.version) }
        machine.cpu = settings.cpuModel
        var composed = ComposedMachine(description: machine, ownsNetwork: false, warnings: [])
        try chooseScreen(&composed)
        if !cdromInterface.isEmpty, machine.cdromBus == nil {
            composed.warnings.append(
                "cdrom_interface \"\(cdromInterface)\" is none of ide, sata, scsi and virtio-scsi; "
                    + "the drives hang where the machine has them")
        }
        composed.warnings += setFirmware(&composed.description)
        let rows = try settings.qemuArguments.map { ($0.flag, try render($0.value)) }
        let applied = QemuArguments(rows).applied(to: composed.description)
        composed.description = applied.machine
        // The arguments may have named a processor, or another accelerator.
        composed.description.cpu = composed.description.cpu ?? usualCPU(composed.description.accelerator)
        composed.ownsNetwork = applied.ownsNetwork
        composed.warnings += applied.warnings
        return composed
    }

    private var drives: [MachineDescription.Disk] {
        let disk = source.disk
        // Nothing of a build is worth keeping until it is done, and then every disk is flushed: no need to wait for the
        // medium in between.
        let cache = disk.cache ?? "unsafe"
        return disks.paths.map { path in
            MachineDescription.Disk(
                path: path, format: disks.format,
                bus: bus(disk.interface), cache: cache, discard: disk.discard, detectZeroes: disk.detectZeroes)
        }
    }

    private func bus(_ interface: DiskSettings.Interface) -> MachineDescription.Disk.Bus {
        switch interface {
        case .ide: .ide
        case .sata: .sata
        case .scsi: .scsi
        case .sd: .sd
        case .virtio: .virtio
        case .virtioSCSI: .virtioSCSI
        }
    }

    private var cdroms: [String] {
        (source.input.isDiskImage ? [] : [medium]) + (seeds.cd.map { [$0] } ?? [])
    }

    private var network: MachineDescription.Network {
        if let bridge = source.machine.netBridge { return .bridge(bridge, model: source.machine.netDevice) }
        return .user(model: source.machine.netDevice)
    }

    /// The processor of a template that names none.
    ///
    /// Under KVM the host's own: QEMU's default lacks what systems built for x86-64-v2 and later need. QEMU before 8.0
    /// gets 128-bit compare-and-exchange wrong when it emulates: Linux guests panic at random in `__kmalloc` and the
    /// like. Without the feature they take another way.
    private func usualCPU(_ accelerator: Accelerator) -> String? {
        if accelerator == .kvm { return "host" }
        guard architecture == "x86_64", let major = Int(qemuVersion.prefix { $0 != "." }), major < 8 else { return nil }
        return "qemu64,-cx16"
    }

    private func chooseScreen(_ composed: inout ComposedMachine) throws {
        let settings = source.machine.vnc
        if settings.isDisabled { return }
        guard let address = settings.bindAddress else {
            composed.description.screen = .socket(socketPath)
            composed.vnc = .unix(socketPath)
            return
        }
        let candidates = settings.ports.isEmpty ? [settings.ports.lowerBound] : Array(settings.ports).shuffled()
        guard let port = candidates.first(where: { isFree($0, on: address) }) else {
            throw BuildError(
                "find a port for VNC",
                because: "all from \(settings.ports.lowerBound) to \(settings.ports.upperBound - 1) are taken",
                hint:
                    "Give vnc_port_min and vnc_port_max a wider range, or leave out vnc_bind_address for a private socket."
            )
        }
        // A screen that others on the network can reach is a keyboard they can reach.
        let password =
            settings.password
            ?? Sensitive(String((0..<8).map { _ in "abcdefghijkmnpqrstuvwxyz23456789".randomElement() ?? "a" }))
        composed.description.screen = .tcp(address: address, port: port, password: password)
        composed.vnc = .tcp(host: address == "0.0.0.0" ? "127.0.0.1" : address, port: port)
        composed.vncPassword = password
    }

    private func setFirmware(_ machine: inout MachineDescription) -> [String] {
        switch source.machine.firmware {
        case .bios: machine.firmware = .bios
        case .file(let path, let isFlash):
            // A bare name such as bios-256k.bin is one of QEMU's own; what is found here is the user's.
            let isHere = FileManager.default.fileExists(atPath: path)
            machine.firmware = .file(isHere ? URL(filePath: path).path : path, isFlash: isFlash)
        case .efi(let code, let vars, _):
            let target = workspace.variables
            // A path that this distribution does not have is no reason to fail: libvirt knows where its firmware is.
            let found = code.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
            let template = vars.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
            machine.firmware = .efi(
                code: template == nil ? nil : found, template: found == nil ? nil : template, vars: target)
            if let code, found == nil {
                return ["efi_firmware_code \(code) is not there; libvirt chooses the firmware"]
            }
            if let vars, template == nil {
                return ["efi_firmware_vars \(vars) is not there; libvirt chooses the firmware"]
            }
        }
        return []
    }
}

/// Whether a TCP port can be bound right now.
func isFree(_ port: Int, on address: String) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0, let number = UInt16(exactly: port) else { return false }
    defer { close(descriptor) }
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = number.bigEndian
    guard inet_pton(AF_INET, address, &place.sin_addr) == 1 else { return false }
    return withUnsafePointer(to: &place) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

/// The emulator's path and what it emulates, from `qemu_binary`.
package struct Emulator: Sendable {
    /// With links resolved, so that another name of the same program does not change the machine's description.
    package let path: String
    package let architecture: String

    /// - Throws: `BuildError` when there is no such program.
    package init(_ binary: String, environment: [String: String]) throws {
        let folders = (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map(String.init) + ["/usr/libexec"]
        let candidates = binary.contains("/") ? [binary] : folders.map { "\($0)/\(binary)" }
        guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw BuildError(
                operation: "find \(binary)", hint: "`ingot doctor` shows which machines QEMU can emulate here.",
                underlying: ProgramNotFound())
        }
        path =
            realpath(found, nil).map { resolved in
                defer { free(resolved) }
                return String(cString: resolved)
            } ?? found
        let names = [binary, path].map { URL(filePath: $0).lastPathComponent }
        // Variants have more after the architecture: qemu-system-x86_64-microvm.
        let target =
            names.first { $0.hasPrefix("qemu-system-") }.map { String($0.dropFirst(12).prefix { $0 != "-" }) }
            ?? HostAcceleration.current.architecture
        architecture = ["i386": "i686", "ppc64le": "ppc64le", "arm": "armv7l"][target] ?? target
    }
}
