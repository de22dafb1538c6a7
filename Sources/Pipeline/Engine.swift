import Foundation
import Libvirt
import Scopes

/// The libvirt connections of one run: the embedded driver unless a URI is named, each opened once and shared.
package actor Engine {
    private let connectURI: String?
    private let environment: [String: String]
    private var hypervisors: [String: Task<Hypervisor, any Error>] = [:]
    private var claims: Claims?
    private var keepsMachines = false

    package init(connectURI: String?, environment: [String: String]) {
        self.connectURI = connectURI
        self.environment = environment
    }

    /// The connection for a source, in this order: `--connect`, `libvirt_uri`, `LIBVIRT_DEFAULT_URI`, embedded.
    ///
    /// - Throws: `BuildError` when it cannot be opened, or leads to another host.
    func hypervisor(for sourceURI: String?) async throws -> Hypervisor {
        let named = connectURI ?? sourceURI ?? environment["LIBVIRT_DEFAULT_URI"]
        let uri = named.flatMap { $0.isEmpty ? nil : $0 } ?? ""
        try refuseOtherHosts(uri)
        let opening =
            hypervisors[uri]
            ?? Task {
                try await attempting(
                    uri.isEmpty ? "start libvirt's embedded driver" : "connect to libvirt at \(uri)",
                    hint: "`ingot doctor` says what this host lacks."
                ) {
                    uri.isEmpty ? try await Hypervisor.openEmbedded() : try await Hypervisor.open(uri)
                }
            }
        hypervisors[uri] = opening
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

    /// A failed build wants its machine to go on after this process.
    func keepMachines() {
        keepsMachines = true
    }

    /// Ends the connections, also where the task is cancelled.
    package func close() async { await Task { await closeAll() }.value }

    private func closeAll() async {
        for opening in hypervisors.values {
            // One that never opened has nothing to close.
            if let hypervisor = try? await opening.value { await hypervisor.close(keepingMachines: keepsMachines) }
        }
        hypervisors = [:]
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
