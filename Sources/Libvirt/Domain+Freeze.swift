import CLibvirt
import Foundation
import Machines
import Scopes
import Synchronization

extension Domain {
    /// Freezes disks, and with `memory` the memory too, at one moment. The machine goes on, in the overlays.
    ///
    /// Memory is saved while the machine runs, which stands still for the last part only. A machine that changes its memory
    /// faster than it is saved is paused once a quarter more than its memory was written. Disks that libvirt does not know,
    /// such as a `-drive` of the template's own, are not frozen.
    ///
    /// - Parameter memory: Where the memory goes: must not exist; removed when the call fails.
    /// - Parameter disks: What the drives use now, and the new qcow2 file for what is written from now on: its folder
    ///   must exist, itself must not. `format` is checked where given. The other drives stay as they are.
    /// - Parameter copying: Small files that belong to the same moment: UEFI variables, the TPM's state. With any, the machine is
    ///   paused for the whole call.
    /// - Parameter grace: How long QEMU may take to give a freeze up.
    /// - Throws: `LibvirtError`, `TimedOut`, `CancellationError`; the error of a copy, when the disks are frozen already. The
    ///   machine runs in any case, unless QEMU itself hangs: then it is killed.
    package func freeze(
        memory: String?, disks: [(disk: String, overlay: String, format: String?)],
        copying: [(from: String, to: String)] = [], timeout: Duration = .seconds(300), grace: Duration = .seconds(30)
    ) async throws {
        let freeze = Freeze(
            domain: handle, memory: memory, disks: disks, copies: copying, emulator: pid, grace: grace)
        let result: Result<Void, any Error>
        do {
            try await stops.whilePausing {
                try await withDeadline(timeout, "freezing the machine") { try await freeze.run() }
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        // Pauses did not count meanwhile; one that is not over by now does.
        await hypervisor.examine(name)
        try result.get()
    }

    /// Whether a drive of the machine uses a file, itself and not as a layer below.
    package func writes(to file: String) async throws -> Bool {
        Drive.all(in: try await liveXML()).contains { $0.source == file }
    }

    /// The machine as libvirt runs it, with every value that it has chosen.
    package func liveXML() async throws -> String {
        try await call { domain in try text(of: domain) }
    }
}

private func text(of domain: virDomainPtr) throws -> String {
    guard let text = virDomainGetXMLDesc(domain, 0) else { throw LibvirtError(lastErrorIn: "virDomainGetXMLDesc") }
    defer { free(text) }
    return String(cString: text)
}

private final class Freeze: Sendable {
    let domain: DomainHandle
    let memory: String?
    let disks: [(disk: String, overlay: String, format: String?)]
    let copies: [(from: String, to: String)]
    /// QEMU's process.
    let emulator: Int32?
    let grace: Duration

    /// Since when the freeze is no longer wanted.
    private let unwanted = Mutex<ContinuousClock.Instant?>(nil)
    /// How long the memory's file may become while the machine runs, in bytes.
    private let longest = Mutex<off_t?>(nil)
    private let isOutrun = CancellationFlag()

    init(
        domain: DomainHandle, memory: String?, disks: [(disk: String, overlay: String, format: String?)],
        copies: [(from: String, to: String)], emulator: Int32?, grace: Duration
    ) {
        self.domain = domain
        self.memory = memory
        self.disks = disks
        self.copies = copies
        self.emulator = emulator
        self.grace = grace
    }

    private var pointer: virDomainPtr { domain.pointer }

    func run() async throws {
        let wasRunning = try await onOwnThread("freeze") { [self] _ in try isIn(VIR_DOMAIN_RUNNING) }
        let result: Result<Void, any Error>
        do {
            try await watchedCall("freeze", freeze, watch: watch)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        // Only now has the watch ended, which may have paused the machine as well.
        if wasRunning { try await onOwnThread("freeze") { [self] _ in try resume(after: result) } }
        try result.get()
    }

    private func freeze() throws {
        let live = try text(of: pointer)
        let xml = try snapshotXML(Drive.all(in: live))
        var status = stat()
        if let memory, stat(memory, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
            throw LibvirtError("freezing", because: "\(memory) is there already")
        }
        let size = live.firstMatch(of: /<memory unit='KiB'>([0-9]+)</).flatMap { Int($0.1) }
        longest.withLock { $0 = size.map { off_t(clamping: $0.multipliedReportingOverflow(by: 1280).partialValue) } }
        var flags = VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA.rawValue | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC.rawValue
        if memory == nil { flags |= VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY.rawValue }
        if memory != nil, copies.isEmpty { flags |= VIR_DOMAIN_SNAPSHOT_CREATE_LIVE.rawValue }
        if !copies.isEmpty, try isIn(VIR_DOMAIN_RUNNING), virDomainSuspend(pointer) != 0 {
            throw LibvirtError(lastErrorIn: "virDomainSuspend")
        }
        guard let snapshot = virDomainSnapshotCreateXML(pointer, xml, flags) else {
            throw LibvirtError(lastErrorIn: "virDomainSnapshotCreateXML")
        }
        virDomainSnapshotFree(snapshot)
        for copy in copies { try FileManager.default.copyItem(atPath: copy.from, toPath: copy.to) }
    }

    /// Ends a call that is cancelled, and pauses a machine that outruns it.
    ///
    /// A call that libvirt does not allow yet waits until the freeze is over, or for 30 seconds, so none is made before the
    /// memory's file shows that it is allowed. The file tells how far it is, too.
    private func watch(isCancelled: Bool) {
        if isCancelled { killIfHanging() }
        var status = stat()
        guard let memory, stat(memory, &status) == 0, status.st_size > 0 else { return }
        if isCancelled {
            // There may be nothing to abort any more.
            virDomainAbortJob(pointer)
        } else if copies.isEmpty, !isOutrun.isCancelled, let limit = longest.withLock({ $0 }), status.st_size > limit {
            isOutrun.cancel()
            // If it is just done, the machine is paused afterwards, and resumed with the rest.
            virDomainSuspend(pointer)
        }
    }

    /// A QEMU that does not answer any more would keep the call for ever: some versions hang when they are stopped while
    /// an AHCI drive is read.
    private func killIfHanging() {
        let since = unwanted.withLock { unwanted in
            unwanted = unwanted ?? .now
            return unwanted ?? .now
        }
        if let emulator, ContinuousClock.now - since > grace { kill(emulator, SIGKILL) }
    }

    private func resume(after result: Result<Void, any Error>) throws {
        guard try isIn(VIR_DOMAIN_PAUSED), virDomainResume(pointer) != 0 else { return }
        let error = LibvirtError(lastErrorIn: "virDomainResume")
        guard case .failure(let first) = result else { throw error }
        throw LibvirtError("freezing", because: "\(first); the machine stays paused: \(error)")
    }

    private func isIn(_ expected: virDomainState) throws -> Bool {
        var state: Int32 = 0
        guard virDomainGetState(pointer, &state, nil, 0) == 0 else {
            throw LibvirtError(lastErrorIn: "virDomainGetState")
        }
        return UInt32(bitPattern: state) == expected.rawValue
    }

    private func snapshotXML(_ drives: [Drive]) throws -> String {
        for disk in disks {
            guard let drive = drives.first(where: { $0.source == disk.disk }) else {
                let known = drives.compactMap(\.source).joined(separator: ", ")
                throw LibvirtError("freezing", because: "the machine has no drive \(disk.disk), only \(known)")
            }
            if let format = disk.format, format != drive.format {
                throw LibvirtError("freezing", because: "\(disk.disk) is \(drive.format ?? "raw"), not \(format)")
            }
        }
        let elements = drives.map { drive in
            guard let disk = disks.first(where: { $0.disk == drive.source }) else {
                return XML("disk", [("name", drive.target), ("snapshot", "no")])
            }
            return XML(
                "disk", [("name", drive.target), ("snapshot", "external"), ("type", "file")],
                [XML("driver", [("type", "qcow2")]), XML("source", [("file", disk.overlay)])])
        }
        let place = XML("memory", [("snapshot", memory == nil ? "no" : "external"), ("file", memory)])
        return XML("domainsnapshot", [], [place, XML("disks", [], elements)]).document
    }
}

/// A drive as libvirt's own XML has it.
package struct Drive: Equatable {
    /// Such as `vda`.
    package var target: String
    /// nil for an empty drive, and for what is no file.
    package var source: String?
    package var format: String?

    package init(target: String, source: String? = nil, format: String? = nil) {
        self.target = target
        self.source = source
        self.format = format
    }

    /// The drives in a machine's live XML. libvirt writes it, with one element a line and values in single quotes.
    package static func all(in xml: String) -> [Drive] {
        xml.split(separator: "<disk ").dropFirst().compactMap { rest in
            guard let end = rest.range(of: "</disk>") else { return nil }
            // The layers below come with sources of their own.
            let lines = rest[..<end.lowerBound].split(separator: "\n")
            guard let target = lines.lazy.compactMap({ value("dev", of: "target", in: $0) }).first else { return nil }
            let top = lines.prefix { !$0.contains("<backingStore") }
            return Drive(
                target: target, source: top.lazy.compactMap { value("file", of: "source", in: $0) }.first,
                format: top.lazy.compactMap { value("type", of: "driver", in: $0) }.first)
        }
    }

    private static func value(_ attribute: String, of element: String, in line: Substring) -> String? {
        guard line.contains("<\(element) "), let start = line.range(of: " \(attribute)='") else { return nil }
        return XML.unescaped(line[start.upperBound...].prefix { $0 != "'" })
    }
}
