import Glibc
package import Scopes

/// The last failed system call as an error; with the room that is left where that was the reason.
///
/// - Parameters:
///   - operation: What was attempted, as an infinitive.
///   - folder: Where room was needed.
package func systemFailure(_ operation: String, in folder: String? = nil, hint: String? = nil) -> BuildError {
    let code = errno
    guard code == ENOSPC || code == EDQUOT || code == EFBIG else {
        return BuildError(operation, because: String(cString: strerror(code)), hint: hint)
    }
    var status = statvfs()
    var room = ""
    if let folder, statvfs(folder, &status) == 0 {
        let free = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue
        room = ": \(free >> 20) MiB are free in \(folder)"
    }
    return BuildError(
        operation, because: String(cString: strerror(code)) + room, hint: hint ?? "Free some space.")
}
