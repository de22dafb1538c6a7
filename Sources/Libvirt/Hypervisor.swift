import CLibvirt
import Foundation
import Machines
import Scopes
import Synchronization

/// A reference on a libvirt connection, dropped exactly once.
struct ConnectionHandle: ~Copyable, @unchecked Sendable {  // libvirt's calls may come from any thread.
    let pointer: virConnectPtr
    init(adopting pointer: virConnectPtr) { self.pointer = pointer }
    deinit { virConnectClose(pointer) }
}

/// A reference on a libvirt domain, dropped exactly once.
///
/// Dropping it does not stop the machine; that can fail, so it is a teardown.
final class DomainHandle: @unchecked Sendable {  // libvirt's calls may come from any thread.
    let pointer: virDomainPtr
    init(adopting pointer: virDomainPtr) { self.pointer = pointer }
    deinit { virDomainFree(pointer) }
}

/// A connection to libvirt. Its calls block, so they run on a thread of its own.
package actor Hypervisor {
    private nonisolated let executor: ThreadExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private var connection: ConnectionHandle?
    let lifecycle: Lifecycle
    /// nil unless the driver is embedded in this process.
    package nonisolated let root: EmbeddedRoot?

    /// Opens libvirt's QEMU driver inside this process: no daemon, no set-up.
    package static func openEmbedded() async throws -> Hypervisor {
        let root = try EmbeddedRoot()
        do {
            return try await open(root: root)
        } catch {
            try? root.remove()  // The error of opening is the one to tell.
            throw error
        }
    }

    static func open(root: EmbeddedRoot) async throws -> Hypervisor {
        let hypervisor = Hypervisor(root: root)
        try await hypervisor.connect("qemu:///embed?root=\(root.path)")
        return hypervisor
    }

    /// Opens any libvirt URI, such as `qemu:///session`.
    package static func open(_ uri: String) async throws -> Hypervisor {
        let hypervisor = Hypervisor(root: nil)
        try await hypervisor.connect(uri)
        return hypervisor
    }

    private init(root: EmbeddedRoot?) {
        executor = ThreadExecutor(name: "libvirt")
        self.root = root
        lifecycle = Lifecycle()
    }

    private func connect(_ uri: String) throws {
        if let problem = ingot_libvirt_problem() {
            throw LibvirtError("loading libvirt", because: String(cString: problem))
        }
        _ = EventLoop.start
        guard let pointer = virConnectOpen(uri) else { throw LibvirtError(lastErrorIn: "virConnectOpen") }
        connection = ConnectionHandle(adopting: pointer)
        lifecycle.examine.withLock { examine in
            examine = { [weak self] name in Task { await self?.examine(name) } }
        }
        try lifecycle.register(on: pointer)
    }

    /// Gives up a machine that is paused although nothing here has asked for it.
    func examine(_ name: String) {
        let stops = lifecycle.watch(name)
        guard !stops.mayBePaused, let pointer = connection?.pointer,
            let domain = virDomainLookupByName(pointer, name).map(DomainHandle.init), isPaused(domain.pointer)
        else { return }
        // A monitor that does not answer leaves the reason open.
        let status = (try? monitorCommand("info status", of: domain.pointer)) ?? "VM status: paused"
        let disks = (try? monitorCommand("info block", of: domain.pointer)) ?? ""
        guard let reason = MachineStopped.Reason(status: status, disks: disks), !stops.mayBePaused else { return }
        stops.stop(reason)
    }

    private func isPaused(_ domain: virDomainPtr) -> Bool {
        var state: Int32 = 0
        return virDomainGetState(domain, &state, nil, 0) == 0
            && UInt32(bitPattern: state) == VIR_DOMAIN_PAUSED.rawValue
    }

    /// Ends the connection, and removes the embedded driver's folder unless machines go on.
    ///
    /// - Parameter kept: Files of machines that go on; nil where none does.
    package func close(keeping kept: [String]? = nil) {
        if let pointer = connection?.pointer { lifecycle.unregister(from: pointer) }
        connection = nil
        executor.stop()
        guard let root else { return }
        do {
            if let kept { try root.keep(with: kept) } else { try root.remove() }
        } catch {
            // The next run finds the folder without an owner and removes it.
        }
    }

    /// Versions as people write them: "9.0.0".
    package func versions() throws -> (libvirt: String, qemu: String) {
        var library: UInt = 0
        var driver: UInt = 0
        let pointer = try open()
        guard virConnectGetLibVersion(pointer, &library) == 0 else {
            throw LibvirtError(lastErrorIn: "virConnectGetLibVersion")
        }
        guard virConnectGetVersion(pointer, &driver) == 0 else {
            throw LibvirtError(lastErrorIn: "virConnectGetVersion")
        }
        func text(_ number: UInt) -> String { "\(number / 1_000_000).\(number / 1000 % 1000).\(number % 1000)" }
        return (text(library), text(driver))
    }

    /// Where a machine's sockets can go: short, and private to this user.
    package nonisolated func socketPath(for name: String) -> String {
        (root?.path ?? EmbeddedRoot.base) + "/\(name.prefix(24)).vnc"
    }

    /// Starts a transient machine.
    package func start(_ xml: String) async throws -> Domain {
        let name = try machineName(in: xml)
        let pointer = try open()
        // From before it runs, so that its end is not missed.
        let stops = lifecycle.watch(name)
        let handle = try await stops.whilePausing {
            guard let domain = virDomainCreateXML(pointer, xml, 0) else {
                throw LibvirtError(lastErrorIn: "virDomainCreateXML")
            }
            return DomainHandle(adopting: domain)
        }
        return Domain(handle: handle, name: name, hypervisor: self, stops: stops)
    }

    /// Runs calls on a domain, on the connection's thread.
    func with<Value: Sendable>(
        _ handle: DomainHandle, _ body: @Sendable (virDomainPtr) throws -> Value
    ) throws -> Value {
        try body(handle.pointer)
    }

    func open() throws -> virConnectPtr {
        guard let pointer = connection?.pointer else {
            throw LibvirtError("virConnectOpen", because: "the connection is closed")
        }
        return pointer
    }
}

/// The name that a machine's description gives it.
func machineName(in xml: String) throws -> String {
    guard let match = xml.firstMatch(of: /<name>([^<]+)<\/name>/) else {
        throw LibvirtError("starting a machine", because: "its description has no name")
    }
    return XML.unescaped(match.1)
}

/// Runs a command of QEMU's human monitor.
func monitorCommand(_ command: String, of domain: virDomainPtr) throws -> String {
    var result: UnsafeMutablePointer<CChar>?
    let flags = VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP.rawValue
    guard virDomainQemuMonitorCommand(domain, command, &result, flags) == 0 else {
        throw LibvirtError(lastErrorIn: "virDomainQemuMonitorCommand")
    }
    defer { free(result) }
    return result.map { String(cString: $0) } ?? ""
}
