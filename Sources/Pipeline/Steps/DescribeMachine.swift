import ComponentModel
import Foundation
import Libvirt
import Machines
import Scopes
import Templates

/// Describes a build's machine for this host: finds the emulator and the accelerator, and has `MachineComposer` turn the
/// template's options into a description.
struct DescribeMachine: Sendable {
    let scope: BuildScope
    let host: any MachineHost

    private var source: QemuSource { scope.source }
    private var context: RunContext { scope.context }

    /// The values of a machine that differ from run to run.
    struct Places: Sendable {
        var name: String
        var uuid: String?
        var serialPath: String
        var socketPath: String
        /// The port of this host that leads to the guest's communicator.
        var hostPort: Int
    }

    struct Composed: Sendable {
        var machine: ComposedMachine
        var accelerator: AcceleratorChoice
    }

    func run(_ parts: BootMachine.Parts, _ places: Places) async throws -> Composed {
        let emulator = try Emulator(source.machine.binary, environment: context.environment)
        let choice = chooseAccelerator(
            requested: source.machine.accelerator, guest: emulator.architecture, isDaemon: host.stateFolder == nil)
        var composed = try MachineComposer(
            source: source, name: places.name, accelerator: choice.accelerator, emulator: emulator.path,
            architecture: emulator.architecture, qemuVersion: try await host.versions().qemu,
            workspace: parts.workspace, disks: parts.disks, seeds: parts.seeds, medium: parts.medium,
            serialPath: places.serialPath, socketPath: places.socketPath
        ).compose { try context.render($0, data: qemuArgumentFields(parts, places.hostPort)) }
        composed.description.uuid = places.uuid
        return Composed(machine: composed, accelerator: choice)
    }

    /// The machine's description with nothing in it that differs from run to run.
    ///
    /// - Returns: Also why the state of such a machine cannot be kept; nil where it can.
    func canonical() async throws -> (machine: MachineDescription, obstacle: String?) {
        let count = 1 + source.disk.additionalSizes.count
        let seeds = source.seeds
        let parts = BootMachine.Parts(
            workspace: Workspace(path: "/workspace"),
            disks: Disks(paths: (0..<count).map { "/disk-\($0)" }, format: "qcow2"),
            seeds: Seeds(
                cd: seeds.cdFiles.isEmpty && seeds.cdContent.isEmpty ? nil : "/cd",
                floppy: seeds.floppyFiles.isEmpty && seeds.floppyDirectories.isEmpty && seeds.floppyContent.isEmpty
                    ? nil : "/floppy"),
            services: Services(ip: source.machine.netBridge ?? ServeFiles.userNetworkHost, activity: GuestActivity()),
            medium: "/medium")
        let composed = try await run(
            parts, Places(name: "machine", serialPath: "/serial", socketPath: "/vnc", hostPort: 0))
        var machine = composed.machine.description
        machine.screen = nil
        let obstacle: String? =
            machine.disks.count == count
            ? nil : "qemuargs give the machine drives that libvirt does not know, so its state cannot be kept"
        return (machine, obstacle)
    }

    private func qemuArgumentFields(_ parts: BootMachine.Parts, _ hostPort: Int) -> [String: String] {
        [
            "HTTPIP": parts.services.ip, "HTTPPort": String(parts.services.httpPort ?? 0),
            "HTTPDir": source.http.directory ?? "", "OutputDir": parts.workspace.output, "Name": source.vmName,
            "SSHHostPort": String(hostPort),
        ]
    }
}
