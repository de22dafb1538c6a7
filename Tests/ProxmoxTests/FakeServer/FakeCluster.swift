import Foundation
import Synchronization

/// What a fake Proxmox VE cluster holds and does; one lock around all of it.
final class FakeCluster: Sendable {
    let state: Mutex<State>

    init(_ state: State = State()) { self.state = Mutex(state) }

    struct Storage: Sendable, Equatable {
        var type = "dir"
        var content: Set<String>
        var available: Int64 = 1 << 40
        /// By volume id.
        var volumes: [String: Volume] = [:]
    }

    struct Volume: Sendable, Equatable {
        var content: String
        var data: Data
        var owner: Int?
    }

    struct Machine: Sendable, Equatable {
        var node = "pve"
        var config: [String: String]
        var hasLinkedClones = false
        var isContainer = false
    }

    struct RunningTask: Sendable {
        var upid: String
        var node: String
        var type: String
        var user: String
        /// Requests until it ends.
        var remaining: Int
        /// Nil while it runs.
        var end: String?
        var log: [String] = []
        /// Done at its end; gives the words of a failure.
        var effect: @Sendable (inout State) -> String?
        /// Undoes what the call did before the task, when it fails or is stopped.
        var undo: @Sendable (inout State) -> Void = { _ in }
    }

    struct State: Sendable {
        var version = "8.4.1"
        var nodes = ["pve": "online"]
        var storages: [String: Storage] = [
            "local": Storage(content: ["iso", "vztmpl", "backup", "import"]),
            "local-lvm": Storage(type: "lvmthin", content: ["images", "rootdir"]),
        ]
        var bridges: Set<String> = ["vmbr0"]
        var machines: [Int: Machine] = [:]
        var tasks: [RunningTask] = []
        var secrets = ["ci@pve!ingot": "aaaa-bbbb", "ci@pve": "p&ss word"]
        var needsSecondFactor = false
        /// By path; they hold below it too.
        var privileges: [String: Set<String>] = ["/": Self.enough]
        var tickets: Set<String> = []
        var faults: [FaultRule] = []
        /// Words that the tasks of a type end with.
        var failingTasks: [String: String] = [:]
        /// Types of tasks that never end.
        var endlessTasks: Set<String> = []
        /// Requests that a task takes.
        var taskLength = 3
        /// Takes each number handed out away at once, so many times.
        var stolenNumbers = 0
        var counts: [String: Int] = [:]
        /// Every call by name, in order.
        var calls: [String] = []
        /// What each upload brought.
        var uploads: [String: Int] = [:]
        var logins = 0
        private var serial = 0

        static let enough: Set<String> = [
            "VM.Allocate", "VM.Audit", "VM.Clone", "VM.PowerMgmt", "VM.Config.Disk", "VM.Config.CDROM", "VM.Config.CPU",
            "VM.Config.Memory", "VM.Config.Network", "VM.Config.HWType", "VM.Config.Options", "VM.Config.Cloudinit",
            "Datastore.Audit", "Datastore.Allocate", "Datastore.AllocateSpace", "Datastore.AllocateTemplate", "SDN.Use",
        ]

        mutating func nextSerial() -> Int {
            serial += 1
            return serial
        }

        func has(_ privilege: String, on path: String) -> Bool {
            privileges.contains { root, names in
                names.contains(privilege) && (root == "/" || path == root || path.hasPrefix(root + "/"))
            }
        }

        func require(_ anyOf: [String], on path: String) throws {
            guard anyOf.contains(where: { has($0, on: path) }) else {
                throw FakeRefusal.forbidden("\(path), \(anyOf.joined(separator: "|"))")
            }
        }

        /// What a test compares before and after: machines, volumes, and nothing that still runs.
        var inventory: String {
            let machines = machines.keys.sorted().map { "machine \($0)" }
            let volumes = storages.values.flatMap(\.volumes.keys).sorted()
            let running = tasks.filter { $0.end == nil }.map { "running \($0.type)" }
            return (machines + volumes + running).joined(separator: "\n")
        }

        /// Lets time pass for the tasks.
        mutating func tick() {
            for index in tasks.indices where tasks[index].end == nil && !endlessTasks.contains(tasks[index].type) {
                tasks[index].remaining -= 1
                if tasks[index].remaining > 0 { continue }
                let task = tasks[index]
                let failure = failingTasks[task.type] ?? task.effect(&self)
                if failure != nil { task.undo(&self) }
                tasks[index].end = failure ?? "OK"
                tasks[index].log.append(failure.map { "TASK ERROR: \($0)" } ?? "TASK OK")
            }
        }

        mutating func start(
            _ type: String, _ id: String, on node: String, for user: String,
            undo: @escaping @Sendable (inout State) -> Void = { _ in },
            _ effect: @escaping @Sendable (inout State) -> String?
        ) -> String {
            let number = String(nextSerial(), radix: 16, uppercase: true)
            let pid = String(repeating: "0", count: 8 - number.count) + number
            let upid = "UPID:\(node):\(pid):0012AB34:66E0F000:\(type):\(id):\(user):"
            tasks.append(
                RunningTask(
                    upid: upid, node: node, type: type, user: user, remaining: taskLength, log: ["starting \(type)"],
                    effect: effect, undo: undo))
            return upid
        }
    }
}
