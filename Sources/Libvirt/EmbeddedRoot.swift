import Foundation
import Scopes
import Synchronization

/// The folder that libvirt's embedded driver keeps its state in: one for each process, held by a lock.
///
/// The lock tells a live owner from a dead one: the kernel drops it with the process, however that ended.
package final class EmbeddedRoot: Sendable {
    package let path: String
    private let lock: Int32
    private let claimed = Mutex<[String]>([])

    /// `$XDG_RUNTIME_DIR/ingot` where there is one, else `/tmp/ingot-UID`: short, since socket paths have 107 bytes.
    static var base: String {
        let runtime = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"] ?? ""
        return runtime.isEmpty || runtime.utf8.count > 30 || access(runtime, W_OK) != 0
            ? "/tmp/ingot-\(geteuid())" : runtime + "/ingot"
    }

    /// Makes a new root and writes the driver's configuration into it.
    init() throws {
        let base = Self.base
        try Self.makePrivateFolder(base)
        let path = "\(base)/\(getpid())-\(String(UInt16.random(in: 0...UInt16.max), radix: 36))"
        guard mkdir(path, 0o700) == 0 else { throw Self.failure("make \(path)") }
        lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else { throw Self.failure("lock \(path)") }
        self.path = path
        try Self.configure(path)
    }

    /// Takes over a root whose owner is gone; nil when it has one.
    init?(adopting path: String) {
        let lock = open(path + "/lock", O_RDWR | O_CLOEXEC)
        guard lock >= 0 else { return nil }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            return nil
        }
        self.lock = lock
        self.path = path
    }

    deinit { close(lock) }

    /// Notes a path that goes with this process, should it die before it removes the path itself.
    func claim(_ path: String) throws {
        try change { $0.append(path) }
    }

    func release(_ path: String) throws {
        try change { $0.removeAll { $0 == path } }
    }

    private func change(_ body: (inout [String]) -> Void) throws {
        try claimed.withLock { claimed in
            body(&claimed)
            let text = claimed.map { $0 + "\n" }.joined()
            try text.write(toFile: self.path + "/claims", atomically: true, encoding: .utf8)
        }
    }

    /// The paths that the dead owner noted.
    var claims: [String] {
        // No file: nothing was claimed.
        ((try? String(contentsOfFile: path + "/claims", encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    /// Where the permanent state of a machine's TPM lies while it runs; it goes with the machine.
    ///
    /// A folder of a boot to come is filled beforehand: a TPM whose folder is there is not made anew. A machine that is
    /// restored from memory brings its TPM's state along, and wants no folder.
    ///
    /// - Parameter version: As in the machine's description: `2.0` or `1.2`.
    package func tpmState(uuid: String, version: String) -> String {
        "\(path)/lib/swtpm/\(uuid.lowercased())/\(version == "1.2" ? "tpm1.2" : "tpm2")"
    }

    /// Leaves the root to the machines in it, which go on after this process. It becomes a leftover when they are gone, and
    /// `files` with it.
    func keep(with files: [String]) throws {
        try change { $0 += files }
        let descriptor = open(path + "/kept", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("keep \(path)") }
        close(descriptor)
    }

    /// Whether its machines may go on without their owner.
    var isKept: Bool { access(path + "/kept", F_OK) == 0 }

    func remove() throws {
        try FileManager.default.removeItem(atPath: path)
    }

    private static func configure(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path + "/etc", withIntermediateDirectories: true)
        // Without a daemon there is no virtlogd to hand the guest's output to.
        var lines = ["stdio_handler = \"file\""]
        if geteuid() == 0 {
            lines += [
                "security_driver = \"none\"", "user = \"root\"", "group = \"root\"", "namespaces = []",
                "cgroup_controllers = []", "remember_owner = 0", "swtpm_user = \"root\"", "swtpm_group = \"root\"",
            ]
        }
        try (lines.joined(separator: "\n") + "\n").write(
            toFile: path + "/etc/qemu.conf", atomically: true, encoding: .utf8)
        // Asking every QEMU binary what it can do takes seconds, so all roots share the answers.
        let shared = base + "/capabilities"
        try makePrivateFolder(shared)
        try FileManager.default.createDirectory(atPath: path + "/cache/qemu", withIntermediateDirectories: true)
        guard symlink(shared, path + "/cache/qemu/capabilities") == 0 else { throw failure("share \(shared)") }
    }

    private static func makePrivateFolder(_ path: String) throws {
        if mkdir(path, 0o700) == 0 { return }
        var status = stat()
        guard errno == EEXIST, lstat(path, &status) == 0 else { throw failure("make \(path)") }
        // /tmp is everyone's: a folder of another user there could be a trap.
        guard status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR, status.st_mode & 0o022 == 0 else {
            throw BuildError(
                "use the folder \(path)", because: "it is not a private folder of yours",
                hint: "Remove it, or set XDG_RUNTIME_DIR to a folder of your own.")
        }
    }

    private static func failure(_ operation: String) -> BuildError {
        BuildError(operation, because: String(cString: strerror(errno)))
    }
}
