import Foundation
import Libvirt
package import Machines
import Scopes

/// The libvirt connections of one run: the embedded driver unless a URI is named, each opened once and shared.
package actor Engine {
    private let connectURI: String?
    private let environment: [String: String]
    private var hosts: [String: Task<any MachineHost, any Error>] = [:]
    private let given: (any MachineHost)?
    private var claims: Claims?
    /// The files of machines that go on after this process; nil: none does.
    private var kept: [String]?

    /// - Parameter host: Where all machines run; nil for libvirt.
    package init(connectURI: String?, environment: [String: String], host: (any MachineHost)? = nil) {
        self.connectURI = connectURI
        self.environment = environment
        given = host
    }

    /// The connection for a source, in this order: `--connect`, `libvirt_uri`, `LIBVIRT_DEFAULT_URI`, embedded.
    ///
    /// - Throws: `BuildError` when it cannot be opened, or leads to another host.
    func host(for sourceURI: String?) async throws -> any MachineHost {
        if let given { return given }
        let named = connectURI ?? sourceURI ?? environment["LIBVIRT_DEFAULT_URI"]
        let uri = named.flatMap { $0.isEmpty ? nil : $0 } ?? ""
        try refuseOtherHosts(uri)
        let opening =
            hosts[uri]
            ?? Task {
                try await attempting(
                    uri.isEmpty ? "start libvirt's embedded driver" : "connect to libvirt at \(uri)",
                    hint: "`ingot doctor` says what this host lacks."
                ) {
                    uri.isEmpty ? try await Hypervisor.openEmbedded() : try await Hypervisor.open(uri)
                }
            }
        hosts[uri] = opening
        return try await opening.value
    }

    /// Machines and folders of builds whose process is gone.
    func removeLeftovers() async -> [String] {
        await Leftovers.remove()
    }

    /// Notes a folder that is to go with this process, should it die before it removes the folder itself.
    func claim(_ path: String) throws {
        if claims == nil { claims = try Claims() }
        try claims?.add(path)
    }

    func release(_ path: String) throws {
        try claims?.remove(path)
    }

    /// Lets the machines that still run go on after this process.
    ///
    /// - Parameter files: What belongs to them: a later run removes it when they are gone.
    func keepMachines(with files: [String]) {
        kept = (kept ?? []) + files
    }

    /// Ends the connections, also where the task is cancelled.
    package func close() async { await Task { await closeAll() }.value }

    private func closeAll() async {
        for opening in hosts.values {
            // One that never opened has nothing to close.
            if let host = try? await opening.value { await host.close(keeping: kept) }
        }
        hosts = [:]
        await given?.close(keeping: kept)
        claims?.close()
        claims = nil
    }

    private func refuseOtherHosts(_ uri: String) throws {
        guard let components = URLComponents(string: uri), let host = components.host, !host.isEmpty else { return }
        throw BuildError(
            "use libvirt at \(uri)", because: "building on another host (\(host)) is not built in yet",
            hint: "Use a local URI such as qemu:///session, or none for the embedded driver.")
    }
}
