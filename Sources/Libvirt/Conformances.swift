package import Machines

extension Domain: Machine {
    package var hardwareAddress: String? {
        get async throws {
            try await monitor("info network").firstMatch(of: /macaddr=([0-9a-f:]{17})/).map { String($0.1) }
        }
    }

    package func freeze(
        memory: String?, disks: [(disk: String, overlay: String, format: String?)],
        copying: [(from: String, to: String)]
    ) async throws {
        try await freeze(memory: memory, disks: disks, copying: copying, timeout: .seconds(300))
    }
}

extension Hypervisor: MachineHost {
    package nonisolated var stateFolder: String? { root?.path }

    package nonisolated func tpmState(uuid: String, version: String) -> String? {
        root?.tpmState(uuid: uuid, version: version)
    }

    package func start(_ machine: MachineDescription) async throws -> any Machine {
        try await start(domainXML(machine))
    }

    package func restore(_ machine: MachineDescription, memory: String) async throws -> any Machine {
        try await restore(memory: memory, xml: domainXML(machine), isOurs: true)
    }
}
