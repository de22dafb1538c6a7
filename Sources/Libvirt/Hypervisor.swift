import CLibvirt
import Foundation
import Scopes

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
        try lifecycle.register(on: pointer)
    }

    /// Ends the connection, and removes the embedded driver's folder unless machines are to go on.
    package func close(keepingMachines: Bool = false) {
        if let pointer = connection?.pointer { lifecycle.unregister(from: pointer) }
        connection = nil
        executor.stop()
        guard let root else { return }
        do {
            if keepingMachines { try root.keep() } else { try root.remove() }
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
    package func start(_ xml: String) throws -> Domain {
        let pointer = try open()
        guard let domain = virDomainCreateXML(pointer, xml, 0) else {
            throw LibvirtError(lastErrorIn: "virDomainCreateXML")
        }
        return try adopt(domain)
    }

    /// Every machine of this connection.
    func domains() throws -> [Domain] {
        let pointer = try open()
        var list: UnsafeMutablePointer<virDomainPtr?>?
        let count = virConnectListAllDomains(pointer, &list, 0)
        guard count >= 0 else { throw LibvirtError(lastErrorIn: "virConnectListAllDomains") }
        defer { free(list) }
        return try (0..<Int(count)).compactMap { index in try list?[index].map(adopt) }
    }

    private func adopt(_ pointer: virDomainPtr) throws -> Domain {
        let handle = DomainHandle(adopting: pointer)
        guard let name = virDomainGetName(pointer).map({ String(cString: $0) }) else {
            throw LibvirtError(lastErrorIn: "virDomainGetName")
        }
        return Domain(handle: handle, name: name, hypervisor: self, stops: lifecycle.watch(name))
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
