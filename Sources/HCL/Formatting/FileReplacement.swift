#if canImport(Glibc)
    import Glibc
#endif

/// Writes a file in one step: the path has what was there before, or all of the bytes.
///
/// The bytes go into a file without a name, of which nothing is left if the process is killed; where the file system
/// has no such files, into a hidden one beside the path.
///
/// The mode and the owner of a file that is there are kept.
///
/// - Returns: What the system said if it failed.
package func replaceFile(at path: String, with bytes: [UInt8]) -> String? {
    // Behind a symbolic link the file itself is replaced.
    let resolved = realpath(path, nil)
    defer { free(resolved) }
    let target = resolved.map { String(cString: $0) } ?? path
    var existing = stat()
    let isThere = resolved != nil && stat(target, &existing) == 0
    if isThere, existing.st_mode & S_IFMT != S_IFREG { return "it is not a regular file" }
    let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "./"
    let beside = "\(folder).ingot-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    // `O_TMPFILE`, which is not a constant to Swift.
    var descriptor = open(folder, O_WRONLY | O_CLOEXEC | O_DIRECTORY | 0o20_000_000, 0o666)
    let isNameless = descriptor >= 0
    if !isNameless { descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { return reason() }
    defer { close(descriptor) }
    if isThere {
        // Only root may give files away; everyone else owns the new one.
        _ = fchown(descriptor, existing.st_uid, existing.st_gid)
    }
    let isWritten =
        (!isThere || fchmod(descriptor, existing.st_mode & 0o7777) == 0) && write(bytes, to: descriptor)
        && fsync(descriptor) == 0
        && (!isNameless || linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, beside, AT_SYMLINK_FOLLOW) == 0)
    guard isWritten, rename(beside, target) == 0 else {
        let reason = reason()
        unlink(beside)
        return reason
    }
    return nil
}

private func reason() -> String { String(cString: strerror(errno)) }

private func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}
