import CLibvirt
import Foundation
package import Machines
import Scopes

/// One virtual machine that was started.
package final class Domain: Sendable {
    package let name: String
    let handle: DomainHandle
    let hypervisor: Hypervisor
    let stops: StopSignal

    init(handle: DomainHandle, name: String, hypervisor: Hypervisor, stops: StopSignal) {
        self.handle = handle
        self.name = name
        self.hypervisor = hypervisor
        self.stops = stops
    }

    /// Runs `body`; throws as soon as the machine goes away.
    ///
    /// - Throws: `MachineStopped`, or what `body` throws.
    package func whileRunning<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        guard let value = try await stops.whileRunning(isStopping: isGoing, body) else { throw stopped }
        return value
    }

    /// - Throws: `TimedOut`, `MachineStopped` for a machine that hangs for good.
    package func waitUntilStopped(timeout: Duration?) async throws {
        try await withDeadline(timeout, "waiting for the machine to stop") { [stops] in
            guard await stops.wait() != nil else { throw CancellationError() }
        }
        if !isStopped { throw stopped }
    }

    package var isStopped: Bool { stops.reason?.isEnd == true }

    /// Ends every wait for this machine, which is found to be dead though QEMU still runs.
    package func giveUp(_ reason: MachineStopped.Reason) { stops.stop(reason) }

    /// Cuts the power. A machine that is gone already is fine.
    package func destroy() async throws {
        if isStopped { return }
        try await call { [stops] domain in
            guard virDomainDestroy(domain) == 0 else {
                if virDomainIsActive(domain) != 1 { return stops.stop(.unknown) }
                throw LibvirtError(lastErrorIn: "virDomainDestroy")
            }
        }
    }

    /// Presses the power button.
    package func pressPowerButton() async throws {
        try await call { domain in
            guard virDomainShutdownFlags(domain, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN.rawValue) == 0 else {
                throw LibvirtError(lastErrorIn: "virDomainShutdownFlags")
            }
        }
    }

    /// Runs a command of QEMU's human monitor.
    package func monitor(_ command: String) async throws -> String {
        try await call { domain in try monitorCommand(command, of: domain) }
    }

    /// Forwards a port of this host's loopback to the guest.
    ///
    /// - Throws: `LibvirtError` when the port is taken.
    package func addPortForward(hostPort: Int, guestPort: Int) async throws {
        // Without a name QEMU takes the first user network, whoever has named it.
        let answer = try await monitor("hostfwd_add tcp:127.0.0.1:\(hostPort)-:\(guestPort)")
        let text = answer.trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.isEmpty else { throw LibvirtError("hostfwd_add", because: text) }
    }

    private var stopped: MachineStopped {
        let reason = stops.reason ?? .unknown
        return MachineStopped(reason: reason, log: reason.isExplainedByLog ? logTail : [])
    }

    /// The last lines of QEMU's log, without the command line and what libvirt adds.
    package var logTail: [String] {
        guard let root = hypervisor.root?.path else { return [] }
        // No log: QEMU said nothing.
        return messages(inLog: (try? String(contentsOfFile: "\(root)/log/qemu/\(name).log", encoding: .utf8)) ?? "")
    }

    /// QEMU's process; nil once it is gone.
    package var pid: Int32? {
        guard let root = hypervisor.root?.path else { return nil }
        // No file: the machine is not running.
        let text = (try? String(contentsOfFile: "\(root)/run/qemu/\(name).pid", encoding: .utf8)) ?? ""
        return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Whether the machine is gone, or about to be: a guest that powers off is cut off some time before libvirt has
    /// buried it.
    private func isGoing() async -> Bool {
        for _ in 0..<10 {
            if stops.reason != nil { return true }
            // A machine that cannot be asked is as good as gone; the wait below is bounded.
            if (try? await isLeaving()) != false {
                try? await waitUntilStopped(timeout: .seconds(15))  // Whether it came to an end is asked right after.
                return isStopped
            }
            try? await Task.sleep(for: .milliseconds(100))  // Cancelled: asked ten times at once, which does no harm.
        }
        return false
    }

    private func isLeaving() async throws -> Bool {
        try await call { domain in
            var state: Int32 = 0
            guard virDomainGetState(domain, &state, nil, 0) == 0 else {
                throw LibvirtError(lastErrorIn: "virDomainGetState")
            }
            return ![VIR_DOMAIN_RUNNING.rawValue, VIR_DOMAIN_PAUSED.rawValue].contains(UInt32(bitPattern: state))
        }
    }

    func call<Value: Sendable>(_ body: @Sendable (virDomainPtr) throws -> Value) async throws -> Value {
        try await hypervisor.with(handle, body)
    }
}

/// The last messages in a log that libvirt keeps of one QEMU.
///
/// libvirt begins it with the command line, an argument a line with a backslash at its end, and adds lines of its own that
/// begin with a time. After an error of KVM's QEMU prints the registers, which explain nothing to people.
package func messages(inLog text: String) -> [String] {
    var isInCommand = false
    return text.split(separator: "\n").filter { line in
        let wasInCommand = isInCommand
        isInCommand = line.hasSuffix(" \\")
        return !wasInCommand && !isInCommand
            && line.prefixMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+\+0000: |char device redirected/) == nil
            && line.prefixMatch(of: /[A-Z][A-Za-z0-9]{1,3} *=[0-9a-f< ]|extra data\[/) == nil
    }.suffix(5).map(String.init)
}
