import CLibvirt
import Foundation
import Machines
import Scopes

extension Hypervisor {
    /// Starts a machine from the memory of one that was frozen, which may still run.
    ///
    /// A file whose header holds this very XML is used as it is; any other is copied beside itself with a new header
    /// for as long as the call takes, and left alone, unless it may be written to.
    ///
    /// - Parameter isOurs: Nobody else needs the file: the header is put into it where it fits.
    /// - Parameter path: A file that `Domain.freeze` wrote, or the same stream under another `MemoryImage.header`.
    /// - Parameter xml: From `domainXML`, for the frozen machine's description with a name, UUID, overlays, UEFI
    ///   variables, serial file and screen of its own. Nothing that the guest can see may differ otherwise.
    /// - Throws: `LibvirtError`, `TimedOut`, `CancellationError`. No machine is left then.
    package func restore(
        memory path: String, xml: String, isOurs: Bool = false, timeout: Duration = .seconds(900)
    ) async throws -> Domain {
        let name = try machineName(in: xml)
        let pointer = try open()
        virConnectRef(pointer)
        let restore = Restore(
            connection: ConnectionReference(adopting: pointer), name: name, path: path, xml: xml, isOurs: isOurs)
        // From before it runs, so that its end is not missed.
        let stops = lifecycle.watch(name)
        let handle = try await stops.whilePausing {
            try await withDeadline(timeout, "starting the machine from its memory") { try await restore.run() }
        }
        return Domain(handle: handle, name: name, hypervisor: self, stops: stops)
    }
}

/// A reference on a connection that another thread may hold.
private final class ConnectionReference: @unchecked Sendable {  // libvirt's calls may come from any thread.
    let pointer: virConnectPtr
    init(adopting pointer: virConnectPtr) { self.pointer = pointer }
    deinit { virConnectClose(pointer) }
}

private struct Restore: Sendable {
    let connection: ConnectionReference
    let name: String
    let path: String
    let xml: String
    let isOurs: Bool

    func run() async throws -> DomainHandle {
        let image = try await onOwnThread("restore") { flag in try prepare(flag) }
        defer { if image != path { unlink(image) } }
        let handle = try await watchedCall("restore") {
            guard virDomainRestoreFlags(connection.pointer, image, nil, VIR_DOMAIN_SAVE_RUNNING.rawValue) == 0 else {
                throw LibvirtError(lastErrorIn: "virDomainRestoreFlags")
            }
            guard let domain = find() else { throw LibvirtError("restoring", because: "the machine ended at once") }
            return domain
        } watch: { isCancelled in
            if isCancelled, let domain = find() { virDomainDestroy(domain.pointer) }
        }
        if Task.isCancelled {
            try await onOwnThread("restore") { _ in _ = virDomainDestroy(handle.pointer) }
            throw CancellationError()
        }
        return handle
    }

    /// nil when there is no such machine.
    private func find() -> DomainHandle? {
        virDomainLookupByName(connection.pointer, name).map(DomainHandle.init)
    }

    /// - Returns: A file with our header.
    private func prepare(_ flag: CancellationFlag) throws -> String {
        // A cancelled call destroys the machine of this name.
        guard find() == nil else { throw LibvirtError("restoring", because: "a machine \(name) runs already") }
        let image = try MemoryImage(of: path)
        if image.xml == xml { return path }
        if isOurs, try replaceHeader(Int(image.streamOffset)) { return path }
        let copy = "\(path).\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        do { try write(to: copy, image.streamOffset, flag) } catch {
            unlink(copy)
            throw error
        }
        return copy
    }

    /// - Returns: Whether the new header is as long as the old one, and stands in its place.
    private func replaceHeader(_ length: Int) throws -> Bool {
        let header = try MemoryImage.header(xml: xml, length: length)
        guard header.count == length else { return false }
        let file = try checked(Foundation.open(path, O_WRONLY | O_CLOEXEC))
        defer { close(file) }
        try write(header, to: file)
        return true
    }

    private func checked<Number: SignedInteger>(_ result: Number) throws -> Number {
        guard result >= 0 else {
            throw LibvirtError("preparing the memory image \(path)", because: String(cString: strerror(errno)))
        }
        return result
    }

    /// Writes the header at the file's beginning.
    private func write(_ header: Data, to file: Int32) throws {
        var done = 0
        while done < header.count {
            done += try checked(
                header.withUnsafeBytes { bytes in
                    pwrite(file, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(done))
                })
        }
    }

    private func write(to copy: String, _ streamOffset: UInt64, _ flag: CancellationFlag) throws {
        let header = try MemoryImage.header(xml: xml, length: Int(streamOffset))
        let input = try checked(Foundation.open(path, O_RDONLY | O_CLOEXEC))
        defer { close(input) }
        let output = try checked(Foundation.open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
        defer { close(output) }
        // FICLONE of linux/fs.h: file systems that can, share the blocks with the copy.
        if header.count != Int(streamOffset) || ioctl(output, 0x4004_9409, input) != 0 {
            _ = try checked(lseek(input, off_t(streamOffset), SEEK_SET))
            _ = try checked(lseek(output, off_t(header.count), SEEK_SET))
            while try checked(sendfile(output, input, nil, 64 << 20)) > 0 { try flag.check() }
        }
        try write(header, to: output)
    }
}
