import DiskImages
import Foundation
import Libvirt
import Machines
import RemoteFramebuffer
import Scopes
import Synchronization

/// Runs machines that consist of their disks alone, and notes what becomes of them.
final class FakeHost: MachineHost {
    private struct State {
        var machines: [FakeMachine] = []
        var notes: [String] = []
        var restoreError: (any Error)?
        var onStart: @Sendable (FakeMachine) -> Void = { _ in }
    }
    private let state = Mutex(State())

    /// What has happened, in order: "boot", "restore", "freeze", "power button", "destroy"…
    var notes: [String] { state.withLock(\.notes) }
    var machines: [FakeMachine] { state.withLock(\.machines) }

    func note(_ text: String) { state.withLock { $0.notes.append(text) } }
    func forget() { state.withLock { $0.notes = [] } }

    /// Restoring fails with this error.
    func failRestoring(with error: any Error) { state.withLock { $0.restoreError = error } }
    /// Called with each machine as soon as it runs.
    func onStart(_ body: @escaping @Sendable (FakeMachine) -> Void) { state.withLock { $0.onStart = body } }

    let stateFolder: String? = "/nowhere"
    func versions() async throws -> (libvirt: String, qemu: String) { ("9.0.0", "7.2.1") }
    func socketPath(for name: String) -> String { "/nowhere/\(name).vnc" }
    func tpmState(uuid: String, version: String) -> String? { nil }
    func memoryRequirements(of machine: MachineDescription) async throws -> [String: String] { ["host": "fake"] }

    func start(_ machine: MachineDescription) async throws -> any Machine { add(machine, "boot") }

    func restore(_ machine: MachineDescription, memory: String) async throws -> any Machine {
        if let error = state.withLock(\.restoreError) { throw error }
        return add(machine, "restore")
    }

    func close(keeping kept: [String]?) async { note(kept == nil ? "close" : "close, keeping machines") }

    private func add(_ description: MachineDescription, _ how: String) -> FakeMachine {
        let machine = FakeMachine(description, host: self)
        let started = state.withLock { state in
            state.notes.append(how)
            state.machines.append(machine)
            return state.onStart
        }
        started(machine)
        return machine
    }
}

/// A machine without a processor: its disks are real images.
final class FakeMachine: Machine {
    let description: MachineDescription
    private let host: FakeHost
    private let stops = StopSignal()
    private let files: Mutex<[String]>
    private let keys = Mutex<[UInt32]>([])

    init(_ description: MachineDescription, host: FakeHost) {
        self.description = description
        self.host = host
        files = Mutex(description.disks.map(\.path))
    }

    var name: String { description.name }
    /// The keys that were pressed, as keysyms.
    var pressedKeys: [UInt32] { keys.withLock { $0 } }

    /// The machine ends by itself.
    func stop(_ reason: MachineStopped.Reason) { stops.stop(reason) }

    func whileRunning<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let value = try await stops.whileRunning(isStopping: { [stops] in stops.reason != nil }, body)
        guard let value else { throw MachineStopped(reason: stops.reason ?? .unknown) }
        return value
    }

    func waitUntilStopped(timeout: Duration?) async throws {
        try await withDeadline(timeout, "waiting for the machine to stop") { [stops] in
            guard await stops.wait() != nil else { throw CancellationError() }
        }
    }

    var isStopped: Bool { stops.reason?.isEnd == true }
    func giveUp(_ reason: MachineStopped.Reason) { stops.stop(reason) }

    func pressPowerButton() async throws {
        host.note("power button")
        stops.stop(.shutDown)
    }

    func destroy() async throws {
        if isStopped { return }
        host.note("destroy")
        stops.stop(.destroyed)
    }

    var pid: Int32? { 4711 }
    var hardwareAddress: String? { get async throws { nil } }
    func addPortForward(hostPort: Int, guestPort: Int) async throws { host.note("forward") }

    func connectScreen(
        at address: VNCAddress, password: Sensitive<String>?, timeout: Duration
    ) async throws -> any ScreenConnection {
        host.note("screen")
        return FakeScreen { [self] key in keys.withLock { $0.append(key) } }
    }

    func freeze(
        memory: String?, disks: [(disk: String, overlay: String, format: String?)],
        copying: [(from: String, to: String)]
    ) async throws {
        host.note(memory == nil ? "freeze disks" : "freeze")
        for disk in disks {
            try await QemuImg().create(
                disk.overlay, format: "qcow2", size: nil, backing: (disk.disk, disk.format ?? "qcow2"))
        }
        if let memory {
            let image = try MemoryImage.header(xml: "<domain><name>\(name)</name></domain>") + Data("QEVM".utf8)
            try image.write(to: URL(filePath: memory))
        }
        files.withLock { $0 = disks.map(\.overlay) }
    }

    func writes(to file: String) async throws -> Bool { files.withLock { $0.contains(file) } }
}

/// A screen that shows nothing, and a keyboard.
private struct FakeScreen: ScreenConnection {
    let onKey: @Sendable (UInt32) -> Void

    func sendKey(_ keysym: UInt32, down: Bool) async throws { if down { onKey(keysym) } }
    func framebuffer() async throws -> Framebuffer { Framebuffer(width: 8, height: 16) }
    func requestChanges() async throws {}
    var picture: Framebuffer { Framebuffer(width: 8, height: 16) }
    var updates: Int { 0 }
    func waitForUpdate(after count: Int, limit: Duration) async throws -> Bool { false }
    func close() {}
}
