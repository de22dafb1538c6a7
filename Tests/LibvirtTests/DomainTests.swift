import Foundation
import Libvirt
import Machines
import Scopes
import Testing

/// Real QEMU under libvirt's embedded driver; one process holds one root, so these run one after the other.
@Suite("a machine under the embedded driver", .serialized)
struct DomainTests {
    private static let hypervisor = Task { try await Hypervisor.openEmbedded() }

    private func machine(_ name: String, on hypervisor: Hypervisor) -> MachineDescription {
        var machine = MachineDescription(
            name: name, memory: 64, cpus: 1, machineType: "pc", architecture: "x86_64",
            emulator: "/usr/bin/qemu-system-x86_64", accelerator: .tcg, disks: [], cdroms: ["/usr/lib/ipxe/ipxe.iso"],
            network: .user(model: "virtio-net"))
        machine.screen = .socket(hypervisor.socketPath(for: name))
        return machine
    }

    func withMachine(
        _ change: (inout MachineDescription) -> Void = { _ in }, _ body: (Domain, Hypervisor) async throws -> Void
    ) async throws {
        let hypervisor = try await Self.hypervisor.value
        var description = machine("test-\(UInt32.random(in: 0...UInt32.max))", on: hypervisor)
        change(&description)
        let domain = try await hypervisor.start(domainXML(description))
        do { try await body(domain, hypervisor) } catch {
            try await domain.destroy()
            throw error
        }
        try await domain.destroy()
    }

    @Test("it starts, forwards a port, and is gone after destroy")
    func startAndDestroy() async throws {
        try await withMachine { domain, hypervisor in
            try await domain.addPortForward(hostPort: 23456, guestPort: 22)
            await #expect(throws: LibvirtError.self) {
                try await domain.addPortForward(hostPort: 23456, guestPort: 22)
            }
            let pid = try #require(domain.pid)
            #expect(kill(pid, 0) == 0)
            try await domain.destroy()
            try await domain.waitUntilStopped(timeout: .seconds(20))
            #expect(kill(pid, 0) != 0)
        }
    }

    @Test("a QEMU that is killed ends the wait with its reason")
    func killedQEMU() async throws {
        try await withMachine { domain, _ in
            let pid = try #require(domain.pid)
            await #expect(throws: MachineStopped.self) {
                try await domain.whileRunning {
                    kill(pid, SIGKILL)
                    try await Task.sleep(for: .seconds(60))
                }
            }
        }
    }

    @Test("a cancelled wait ends although the machine runs on")
    func cancelledWait() async throws {
        try await withMachine { domain, _ in
            let wait = Task { try await domain.waitUntilStopped(timeout: .seconds(60)) }
            try await Task.sleep(for: .milliseconds(100))
            wait.cancel()
            await #expect(throws: CancellationError.self) { try await wait.value }
            #expect(!domain.isStopped)
        }
    }

    @Test("a machine whose process lives is no leftover")
    func living() async throws {
        try await withMachine { domain, _ in
            let pid = try #require(domain.pid)
            let removed = await Leftovers.remove()
            #expect(!removed.contains { $0.contains("\(pid)") })
            #expect(kill(pid, 0) == 0)
        }
    }
}
