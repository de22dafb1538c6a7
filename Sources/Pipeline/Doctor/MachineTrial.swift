import DiskImages
import Foundation
import Libvirt
import Machines
import Scopes

/// Does in a few seconds, with an empty disk, what every build does with its machine: starts, freezes, restores and ends it.
struct MachineTrial: Sendable {
    let host: any MachineHost
    /// The path of QEMU for this host's architecture.
    let emulator: String
    let distribution: Distribution

    func findings() async -> [Finding] {
        let folder = NSTemporaryDirectory() + "ingot-doctor-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        guard mkdir(folder, 0o700) == 0 else {
            let reason = String(cString: strerror(errno))
            return [
                Finding("machine", .missing, "\(folder) cannot be made: \(reason)", remedy: "set TMPDIR to a folder")
            ]
        }
        let findings = await findings(in: folder)
        // What stays is a few files in a temporary folder.
        try? removeTree(folder)
        return findings
    }

    private func findings(in folder: String) async -> [Finding] {
        let choice = chooseAccelerator(requested: nil, guest: HostAcceleration.current.architecture)
        let machine: any Machine
        do {
            try await QemuImg().create(folder + "/disk", format: "qcow2", size: 1 << 20, backing: nil)
            machine = try await host.start(description(choice.accelerator, folder, disk: "disk"))
        } catch {
            return [Finding("machine", .missing, "does not start: \(error)", remedy: remedy(error))]
        }
        let started = Finding("machine", .good, "starts with \(choice.accelerator.rawValue)")
        do {
            try await freezeAndRestore(machine, choice.accelerator, folder)
            return [started, Finding("checkpoints", .good, "a machine was frozen and restored")]
        } catch {
            await end(machine)
            return [
                started,
                Finding(
                    "checkpoints", .warning, "cannot be made, so every build starts from the beginning: \(error)",
                    remedy: remedy(error)),
            ]
        }
    }

    private func freezeAndRestore(_ machine: any Machine, _ accelerator: Accelerator, _ folder: String) async throws {
        try await withDeadline(.seconds(60), "freezing the machine") {
            try await machine.whileRunning {
                try await machine.freeze(
                    memory: folder + "/memory", disks: [(folder + "/disk", folder + "/overlay", "qcow2")], copying: [])
            }
        }
        try await machine.destroy()
        try await QemuImg().create(
            folder + "/second", format: "qcow2", size: nil, backing: (folder + "/disk", "qcow2"))
        let restored = try await withDeadline(.seconds(60), "restoring the machine") { [host] in
            try await host.restore(description(accelerator, folder, disk: "second"), memory: folder + "/memory")
        }
        await end(restored)
    }

    private func end(_ machine: any Machine) async {
        // One that cannot be ended goes with the connection's folder, at the next run.
        try? await machine.destroy()
    }

    private func description(_ accelerator: Accelerator, _ folder: String, disk: String) -> MachineDescription {
        let architecture = HostAcceleration.current.architecture
        var machine = MachineDescription(
            name: "doctor-\(disk)", memory: 64, cpus: 1, machineType: architecture == "x86_64" ? "pc" : "virt",
            architecture: architecture, emulator: emulator, accelerator: accelerator,
            disks: [
                .init(
                    path: "\(folder)/\(disk)", format: "qcow2", bus: .virtio, cache: "unsafe", discard: "ignore",
                    detectZeroes: "off")
            ], cdroms: [], network: .user(model: "virtio-net"))
        if accelerator == .kvm { machine.cpu = "host" }
        return machine
    }

    private func remedy(_ error: any Error) -> String? { distribution.remedy(for: "\(error)") }
}
