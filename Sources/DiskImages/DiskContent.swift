import Foundation
import Scopes

/// What a guest sees of a disk, readable in pieces and from several threads at once.
package protocol DiskContent: Sendable {
    /// Bytes, a multiple of 512.
    var size: UInt64 { get }

    /// The first part of `range` that may contain something other than zeroes; nil: nothing does.
    ///
    /// What lies before it is a hole, which need not be read.
    func data(in range: Range<UInt64>) throws -> Range<UInt64>?

    /// Fills `buffer` with what begins at `offset`. The range must lie within the disk.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws
}

// SEEK_DATA and SEEK_HOLE of Linux's <unistd.h>, which Swift does not see.
private let seekData: Int32 = 3
private let seekHole: Int32 = 4

/// A raw image, or a block device.
package final class RawDisk: DiskContent {
    package let path: String
    package let size: UInt64
    /// Bytes in the file; `size` is this rounded up to a sector, as QEMU rounds it.
    let fileSize: UInt64
    private let descriptor: Int32

    package init(_ path: String) throws {
        let operation = "read the disk image \(path)"
        // A FIFO of that name must not hold the call.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw BuildError(operation, because: String(cString: strerror(errno))) }
        self.path = path
        do {
            fileSize = try Self.length(descriptor, operation)
            size = (fileSize + 511) / 512 * 512
            try Self.requireNoWriter(descriptor, operation)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    private static func length(_ descriptor: Int32, _ operation: String) throws -> UInt64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw BuildError(operation, because: String(cString: strerror(errno)))
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG, S_IFBLK:
            let end = lseek(descriptor, 0, SEEK_END)
            guard end >= 0 else { throw BuildError(operation, because: String(cString: strerror(errno))) }
            return UInt64(end)
        case S_IFDIR: throw BuildError(operation, because: "it is a folder")
        default: throw BuildError(operation, because: "it is neither a file nor a block device")
        }
    }

    /// QEMU marks an image it may write to by a lock on the byte 100 + 1 (`RAW_LOCK_PERM_BASE` and the bit of
    /// `BLK_PERM_WRITE` of its sources).
    private static func requireNoWriter(_ descriptor: Int32, _ operation: String) throws {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 101
        lock.l_len = 1
        let getLock: Int32 = 36  // F_OFD_GETLK of <fcntl.h>, which Swift does not see.
        // An image on a file system without locks is accepted.
        guard withUnsafeMutablePointer(to: &lock, { fcntl(descriptor, getLock, $0) }) == 0,
            lock.l_type != Int16(F_UNLCK)
        else { return }
        throw BuildError(
            operation, because: "another program, perhaps a running machine, has it open for writing",
            hint: "Shut the machine down first; a disk that changes meanwhile cannot be copied.")
    }

    package func data(in range: Range<UInt64>) throws -> Range<UInt64>? {
        let end = min(range.upperBound, fileSize)
        guard range.lowerBound < end else { return nil }
        let start = lseek(descriptor, off_t(range.lowerBound), seekData)
        if start < 0 {
            if errno == ENXIO { return nil }
            return range.lowerBound..<range.upperBound  // The file system does not support it.
        }
        let first = max(UInt64(start), range.lowerBound)
        guard first < end else { return nil }
        let hole = lseek(descriptor, off_t(first), seekHole)
        guard hole > start else { return first..<end }
        return first..<min(UInt64(hole), end)
    }

    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws {
        guard let base = buffer.baseAddress else { return }
        var done = 0
        while done < buffer.count {
            let position = offset + UInt64(done)
            let count = pread(descriptor, base + done, buffer.count - done, off_t(position))
            if count > 0 {
                done += count
            } else if count == 0 {
                // Only the last sector's missing bytes are zeroes; a file that got shorter has lost content.
                guard position >= fileSize else {
                    throw BuildError("read the disk image \(path)", because: "it got shorter meanwhile")
                }
                memset(base + done, 0, buffer.count - done)
                return
            } else if errno != EINTR {
                throw BuildError(
                    "read the disk image \(path) at byte \(position)", because: String(cString: strerror(errno)))
            }
        }
    }
}

/// Whether every byte is zero.
package func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, bytes.count > 8 else { return bytes.allSatisfy { $0 == 0 } }
    // Equal to itself shifted by a word whose bytes are zero: memcmp is the fastest loop available.
    return base.loadUnaligned(as: UInt64.self) == 0 && memcmp(base, base + 8, bytes.count - 8) == 0
}
