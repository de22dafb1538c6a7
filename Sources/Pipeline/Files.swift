import Files
import Foundation
import Scopes

/// Adds text to the end of a file; folders on the way are made.
func appendToFile(_ text: String, at path: String) throws {
    try makeParent(of: path)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw systemFailure("write \(path)") }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try attemptingNow("write \(path)") { try file.write(contentsOf: Data(text.utf8)) }
}

/// Writes a file so that it is there whole or not at all.
func writeFile(_ data: Data, to path: String, mode: mode_t) throws {
    try makeParent(of: path)
    let beside = "\(path).partial-\(ProcessInfo.processInfo.processIdentifier)"
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw systemFailure("write \(path)") }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
        try file.write(contentsOf: data)
        try file.synchronize()
        guard rename(beside, path) == 0 else { throw systemFailure("write \(path)") }
    } catch {
        unlink(beside)
        throw BuildError(operation: "write \(path)", underlying: error)
    }
}

/// Removes a file or a folder with all that is in it; one that is not there is fine.
func removeTree(_ path: String) throws {
    // attributesOfItem does not follow links, so a dangling one is removed as well.
    guard (try? FileManager.default.attributesOfItem(atPath: path)) != nil else { return }
    try attemptingNow("remove \(path)") { try FileManager.default.removeItem(atPath: path) }
}

/// Copies a folder with all that is in it; its parents are made.
func copyTree(_ from: String, to target: String) throws {
    try makeParent(of: target)
    try attemptingNow("copy \(from) to \(target)") {
        try FileManager.default.copyItem(atPath: from, toPath: target)
    }
}

/// Holds a lock on a file's folder while `body` runs, so that no lock file is left beside it; waits for another holder
/// for at most a minute.
func withFolderLock<Value>(of path: String, _ body: () throws -> Value) throws -> Value {
    try makeParent(of: path)
    let folder = URL(filePath: path).deletingLastPathComponent().path
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemFailure("open the folder \(folder)") }
    defer { close(descriptor) }
    for attempt in 0... {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { break }
        guard attempt < 600 else {
            throw BuildError("lock the folder \(folder)", because: "another process has held it for a minute")
        }
        usleep(100_000)
    }
    return try body()
}

func makeParent(of path: String) throws {
    try makeFolder(URL(filePath: path).deletingLastPathComponent().path)
}

/// Makes a folder with those on the way to it; one that is there is fine.
func makeFolder(_ path: String) throws {
    if mkdir(path, 0o755) == 0 { return }
    let reason = errno
    if reason == ENOENT {
        let parent = URL(filePath: path).deletingLastPathComponent().path
        guard parent != path, parent.utf8.count < path.utf8.count else {
            throw systemFailure("make the folder \(path)")
        }
        try makeFolder(parent)
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        throw systemFailure("make the folder \(path)")
    }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
        if isFolder.boolValue { return }
        throw BuildError("make the folder \(path)", because: "there is a file of that name")
    }
    throw BuildError("make the folder \(path)", because: String(cString: strerror(reason)))
}

/// `attempting` for calls that do not suspend.
func attemptingNow<Value>(_ operation: String, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error where !(error is BuildError) {
        throw BuildError(operation: operation, underlying: error)
    }
}
