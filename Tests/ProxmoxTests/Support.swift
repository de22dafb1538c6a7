import Foundation
import Proxmox
import ProxmoxConfiguration
import Scopes
import Synchronization

extension ProxmoxPace {
    /// Nothing waits for real.
    static var quick: ProxmoxPace {
        var pace = ProxmoxPace()
        pace.pollInterval = .milliseconds(1)
        pace.retryDelay = .milliseconds(1)
        pace.callLimit = .seconds(20)
        pace.uploadLimit = .seconds(20)
        pace.taskLimit = .seconds(20)
        pace.cleanupLimit = .seconds(30)
        return pace
    }

    /// For calls that are never answered.
    static var impatient: ProxmoxPace {
        var pace = quick
        pace.callLimit = .milliseconds(800)
        pace.uploadLimit = .milliseconds(800)
        return pace
    }
}

extension FakeServer {
    static let token = ProxmoxCredentials.token(id: "ci@pve!ingot", secret: Sensitive("aaaa-bbbb"))
    static let password = ProxmoxCredentials.password(user: "ci@pve", password: Sensitive("p&ss word"))

    /// A client of this server; without `trust` its authority is trusted.
    func client<Value: Sendable>(
        _ credentials: ProxmoxCredentials = FakeServer.token, trust: ServerTrust? = nil, pace: ProxmoxPace = .quick,
        _ body: (ProxmoxClient) async throws -> Value
    ) async throws -> Value {
        let certificates = try await FakeCertificates.made.value
        var server = try ProxmoxServer(
            url: url, credentials: credentials, trust: trust ?? .authorities(file: certificates.authority))
        server.pace = pace
        return try await ProxmoxClient.with(server, body)
    }
}

/// Events of an upload, kept.
final class Events: Sendable {
    private let events = Mutex<[UploadEvent]>([])
    /// Told each step before it is done.
    private let onStep: @Sendable (String) -> Void
    init(onStep: @escaping @Sendable (String) -> Void = { _ in }) { self.onStep = onStep }
    var report: @Sendable (UploadEvent) -> Void {
        { event in
            self.events.withLock { $0.append(event) }
            if case .step(let step) = event { self.onStep(step) }
        }
    }
    var leftBehind: [String] {
        events.withLock { $0.compactMap { if case .leftBehind(let error) = $0 { "\(error)" } else { nil } } }
    }
    var sent: Int64? {
        events.withLock { $0.compactMap { if case .sent(let bytes, _) = $0 { bytes } else { nil } } }.last
    }
}

/// A small image in a folder of its own, removed afterwards.
func withImage<Value>(
    _ data: Data = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }),
    _ body: (String) async throws -> Value
) async throws -> Value {
    let folder = NSTemporaryDirectory() + "ingot-image-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }  // The system clears its temporary folder too.
    let path = folder + "/disk.qcow2"
    try data.write(to: URL(filePath: path))
    return try await body(path)
}

/// A template as users have it, with one disk from `image`.
func exampleUpload(_ image: String) -> TemplateUpload {
    var machine = MachineConfiguration(name: "debian-13", storage: "local-lvm")
    machine.description = "Debian 13\n\nbuilt: today"
    machine.tags = ["debian", "golden"]
    machine.cpu = "x86-64-v2-AES"
    machine.cores = 2
    machine.networks = [.init(bridge: "vmbr0")]
    machine.serials = ["socket"]
    machine.vga = .init(type: "serial0")
    machine.agent = .init()
    var disk = MachineConfiguration.Disk(slot: DriveSlot(bus: .scsi, index: 0))
    disk.discards = true
    disk.isSSD = true
    disk.hasIOThread = true
    machine.disks = [disk]
    machine.cloudInit = .init()
    machine.cloudInit?.sshKeys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@here"]
    machine.cloudInit?.addresses = [.dhcp]
    machine.bootOrder = ["scsi0"]
    return TemplateUpload(
        node: "pve", machine: machine,
        images: [TemplateImage(slot: disk.slot, path: image, format: .qcow2)],
        made: Date(timeIntervalSince1970: 1_800_000_000))
}

/// What a failing call threw, in words; empty if it did not fail.
func words(of body: () async throws -> some Sendable) async -> String {
    do {
        _ = try await body()
        return ""
    } catch { return "\(error)" }
}
