import CFiles
import Glibc
import Scopes

/// Exchanges the names of two files or folders of one file system in one step, so that no moment lacks either.
///
/// - Returns: false where the file system cannot do that; nothing has changed then.
/// - Throws: `BuildError` with the system's reason.
package func exchangeNames(_ first: String, _ second: String, _ operation: String) throws -> Bool {
    if exchange_names(first, second) == 0 { return true }
    guard errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP else { throw systemFailure(operation) }
    return false
}

/// Renames a file or folder unless the new name is taken.
///
/// - Returns: false where it is taken.
/// - Throws: `BuildError` with the system's reason.
package func rename(_ path: String, toFreeName name: String, _ operation: String) throws -> Bool {
    if rename_to_free_name(path, name) == 0 { return true }
    if errno == EEXIST { return false }
    guard errno == EINVAL || errno == ENOSYS else { throw systemFailure(operation) }
    // Such a file system leaves a moment between the look and the renaming.
    guard fileStatus(name) == nil else { return false }
    guard Glibc.rename(path, name) == 0 else { throw systemFailure(operation) }
    return true
}

/// Renames a file or folder to the first of `NAME`, `NAME-2`, `NAME-3` … that is free.
///
/// - Returns: The name.
/// - Throws: `BuildError` with the system's reason.
package func rename(_ path: String, toFreeNameLike name: String, _ operation: String) throws -> String {
    for number in 1...10_000 {
        let candidate = number == 1 ? name : "\(name)-\(number)"
        if try rename(path, toFreeName: candidate, operation) { return candidate }
    }
    throw BuildError(operation, because: "\(name) and its numbered successors exist", hint: "Remove some of them.")
}
