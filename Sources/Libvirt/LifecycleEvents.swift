import CLibvirt
import Machines
import Synchronization

/// Lifecycle events of one connection, by the machine's name.
final class Lifecycle: Sendable {
    private let signals = Mutex<[String: StopSignal]>([:])
    private let callback = Mutex<Int32>(-1)
    /// Looks at a machine that is said to be paused.
    let examine = Mutex<(@Sendable (_ name: String) -> Void)?>(nil)

    func watch(_ name: String) -> StopSignal {
        signals.withLock { signals in
            if let known = signals[name], known.reason == nil { return known }
            let signal = StopSignal()
            signals[name] = signal
            return signal
        }
    }

    func register(on connection: virConnectPtr) throws {
        let context = Unmanaged.passRetained(self)
        let id = ingot_register_lifecycle(
            connection,
            { _, domain, event, detail, opaque in
                guard let domain, let opaque, let name = virDomainGetName(domain) else { return 0 }
                let lifecycle = Unmanaged<Lifecycle>.fromOpaque(opaque).takeUnretainedValue()
                if let reason = stopReason(event, detail) {
                    lifecycle.watch(String(cString: name)).stop(reason)
                } else if UInt32(bitPattern: event) == VIR_DOMAIN_EVENT_SUSPENDED.rawValue {
                    // Not asked here: the call would wait for the loop that this callback holds up.
                    lifecycle.examine.withLock { $0 }?(String(cString: name))
                }
                return 0
            },
            context.toOpaque(),
            { opaque in opaque.map { Unmanaged<Lifecycle>.fromOpaque($0).release() } })
        guard id >= 0 else {
            let error = LibvirtError(lastErrorIn: "virConnectDomainEventRegisterAny")
            context.release()  // Nothing was registered, so libvirt will not release it.
            throw error
        }
        callback.withLock { $0 = id }
    }

    func unregister(from connection: virConnectPtr) {
        let id = callback.withLock { $0 }
        if id >= 0 { virConnectDomainEventDeregisterAny(connection, id) }
    }
}

/// nil: the machine goes on.
private func stopReason(_ event: Int32, _ detail: Int32) -> MachineStopped.Reason? {
    guard event >= 0, detail >= 0 else { return nil }
    switch virDomainEventType(rawValue: UInt32(event)) {
    case VIR_DOMAIN_EVENT_STOPPED: break
    case VIR_DOMAIN_EVENT_CRASHED: return .crashed
    default: return nil
    }
    switch virDomainEventStoppedDetailType(rawValue: UInt32(detail)) {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN: return .shutDown
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED: return .destroyed
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED: return .crashed
    case VIR_DOMAIN_EVENT_STOPPED_MIGRATED: return .migrated
    case VIR_DOMAIN_EVENT_STOPPED_SAVED: return .saved
    case VIR_DOMAIN_EVENT_STOPPED_FAILED: return .failed
    default: return .unknown
    }
}
