import Foundation
import Guests
import SSH
import Synchronization

/// The lines that a command wrote.
final class Lines: Sendable {
    private let all = Mutex<[OutputChunk]>([])
    func add(_ chunk: OutputChunk) { all.withLock { $0.append(chunk) } }
    var output: [String] { all.withLock { $0.filter { !$0.isError }.map(\.text) } }
    var errors: [String] { all.withLock { $0.filter { $0.isError }.map(\.text) } }
}

/// What the wait for SSH told.
final class NewsLog: Sendable {
    private let items = Mutex<[SSHNews]>([])
    func add(_ news: SSHNews) { items.withLock { $0.append(news) } }
    var all: [SSHNews] { items.withLock { $0 } }
}

func temporaryFolder() throws -> String {
    let folder = NSTemporaryDirectory() + "ingot-ssh-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    return folder
}

/// Writes a file that only its owner may read.
func write(_ text: String, to path: String, mode: Int = 0o600) throws {
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
}

func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

func mode(_ path: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? -1
}

func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
}

struct ToolFailed: Error {
    let arguments: [String]
    let status: Int32
}

/// Runs a tool to its end; they all take milliseconds.
func runTool(_ arguments: String..., environment: [String: String] = [:]) throws {
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var envp: [UnsafeMutablePointer<CChar>?] = all.map { strdup("\($0)=\($1)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in 1...2 as ClosedRange<Int32> {
        posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    var pid = pid_t()
    let result = posix_spawnp(&pid, arguments[0], &actions, nil, &argv, &envp)
    guard result == 0 else { throw ToolFailed(arguments: arguments, status: result) }
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    guard status == 0 else { throw ToolFailed(arguments: arguments, status: status) }
}

/// A socket that listens on the loopback, and its port.
func listen(backlog: Int32) throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, 1, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, length) == 0 && Foundation.listen(descriptor, backlog) == 0
                ? getsockname(descriptor, address, &length) : -1
        }
    }
    guard result == 0 else { throw CocoaError(.featureUnsupported) }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}

func freePort() throws -> Int {
    let (descriptor, port) = try listen(backlog: 1)
    close(descriptor)
    return port
}
