import ComponentModel
import Foundation
import Libvirt
import Machines
import RemoteFramebuffer
import Scopes
import Templates

/// Starts the machine, and forwards a port of this host to the guest's communicator.
struct BootMachine: Sendable {
    let scope: BuildScope

    private var source: QemuSource { scope.source }
    private var reporter: Reporter { scope.reporter }

    /// What the machine is made of.
    struct Parts: Sendable {
        var workspace: Workspace
        var disks: Disks
        var seeds: Seeds
        var services: Services
        var medium: String
        /// The state that a TPM begins with; nil for a new one.
        var tpmState: String?
    }

    /// - Parameter memory: The memory image of a frozen machine, which goes on instead of being booted; nil to boot.
    func run(_ parts: Parts, memory: String?, _ teardowns: Teardowns) async throws -> RunningMachine {
        let host = try await scope.engine.host(for: source.libvirtURI)
        let forward = PortForward(communicator: source.communicator)
        let hostPort = try forward.choose()
        let name = "\(source.vmName.prefix(40))-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        let uuid = UUID().uuidString.lowercased()
        let composition = try await DescribeMachine(scope: scope, host: host).run(
            parts,
            .init(
                name: name, uuid: uuid, serialPath: RunFolder.serialPath(in: scope.runFolder),
                socketPath: host.socketPath(for: String(name.suffix(20))), hostPort: hostPort))
        let choice = composition.accelerator
        if let warning = choice.warning {
            reporter.warn(warning)
        } else {
            reporter.news("Accelerator: \(choice.accelerator.rawValue), because \(choice.reason)")
        }
        var composed = composition.machine
        if let memory { composed.description.adoptFirmware(of: try MemoryImage(of: memory)) }
        for warning in composed.warnings { reporter.warn(warning) }
        if let password = composed.vncPassword { reporter.conceal([password]) }

        let tpmState = composed.description.tpm.flatMap { tpm in
            host.tpmState(uuid: uuid, version: tpm.version)
        }
        if let from = parts.tpmState, let tpmState, memory == nil { try copyTree(from, to: tpmState) }
        let xml = domainXML(composed.description)
        try writeFile(Data(reporter.redact(xml).utf8), to: scope.runFolder + "/domain.xml", mode: 0o600)
        let machine = try await attempting(
            "start the machine", hint: "Its description is \(scope.runFolder)/domain.xml"
        ) {
            if let memory {
                try await host.restore(composed.description, memory: memory)
            } else {
                try await host.start(composed.description)
            }
        }
        let screen = ScreenWatch(
            machine: machine, vnc: composed.vnc, password: composed.vncPassword,
            folder: RunFolder.screensPath(in: scope.runFolder),
            reporter: reporter, dialogTimeout: source.installerDialogTimeout)
        teardowns.add("stop the machine") { [scope] outcome in
            guard scope.retention.keepsEverything(after: outcome), !machine.isStopped else {
                return try await machine.destroy()
            }
            await scope.engine.keepMachines(with: [parts.workspace.path])
            let pid = machine.pid.map { "process \($0); kill \($0) ends it" } ?? "see virsh list"
            scope.reporter.news("The machine \(name) keeps running (\(pid)).")
        }
        teardowns.add("look at the last screen") { outcome in
            guard case .failure(let error) = outcome, !(error is CancellationError), !machine.isStopped else { return }
            try await withDeadline(.seconds(10), "looking at the last screen") { try await screen.look() }
        }
        if let vnc = composed.vnc { reporter.news("The screen is at \(vnc) (VNC); to see it: \(vnc.viewing)") }

        var running = RunningMachine(
            machine: machine, vnc: composed.vnc, vncPassword: composed.vncPassword, sshHost: "127.0.0.1",
            sshPort: hostPort, screen: screen)
        if case .efi = composed.description.firmware { running.variables = parts.workspace.variables }
        running.tpmState = tpmState
        if let guestPort = forward.guestPort {
            if source.machine.netBridge != nil {
                (running.sshHost, running.sshPort) = (try await BridgeAddress(machine: machine).find(), 22)
            } else if !composed.ownsNetwork {
                running.sshPort = try await forward.add(to: machine, guestPort: guestPort, first: hostPort)
            }
            reporter.news("Found port for communicator (SSH, WinRM, etc): \(running.sshPort).")
        }
        let watch = Task { await screen.run(every: .seconds(10)) }
        teardowns.add("stop watching the screen") { _ in
            watch.cancel()
            await watch.value
        }
        return running
    }
}

/// The port of this host that leads to the guest's communicator.
struct PortForward: Sendable {
    /// nil without a communicator.
    let guestPort: Int?
    private let range: Range<Int>
    private let isFixed: Bool

    init(communicator: CommunicatorSettings) {
        if case .ssh(let settings) = communicator {
            guestPort = settings.port
            range = settings.hostPorts
            isFixed = settings.skipsNATMapping
        } else {
            guestPort = nil
            range = 0..<0
            isFixed = false
        }
    }

    private var candidates: [Int] {
        if isFixed { return [guestPort ?? 0] }
        return range.isEmpty ? [range.lowerBound] : Array(range).shuffled()
    }

    /// A port that is free now.
    func choose() throws -> Int {
        guard guestPort != nil, !isFixed else { return guestPort ?? 0 }
        guard let port = candidates.first(where: { isFree($0, on: "127.0.0.1") }) else {
            throw BuildError(
                "find a port for the communicator",
                because: "all from \(range.lowerBound) to \(max(range.lowerBound, range.upperBound - 1)) are taken",
                hint: "Give host_port_min and host_port_max a wider range.")
        }
        return port
    }

    /// Forwards the chosen port, or another where it was taken meanwhile.
    func add(to machine: any Machine, guestPort: Int, first: Int) async throws -> Int {
        var last: any Error = Reason(text: "no port was tried")
        for port in [first] + candidates.filter({ $0 != first }).prefix(50) {
            do {
                try await machine.addPortForward(hostPort: port, guestPort: guestPort)
                return port
            } catch let error where !(error is CancellationError) {
                last = error
            }
        }
        throw BuildError(operation: "forward a port to the guest", underlying: last)
    }
}

/// The address of a guest on a bridge, from this host's table of neighbours.
struct BridgeAddress: Sendable {
    let machine: any Machine

    func find() async throws -> String {
        guard let address = try await machine.hardwareAddress else {
            throw BuildError("find the guest's address", because: "the machine has no network card")
        }
        return try await poll("waiting for the guest's address on the bridge", every: .seconds(1), limit: .seconds(600))
        {
            // Without the table nothing is found, and the wait ends at its limit.
            let table = (try? String(contentsOfFile: "/proc/net/arp", encoding: .utf8)) ?? ""
            return table.split(separator: "\n").first { $0.lowercased().contains(address) }
                .flatMap { $0.split(separator: " ").first }.map(String.init)
        }
    }
}
