import Foundation
import Proxmox
import ProxmoxConfiguration
import Scopes
import Synchronization
import Testing

/// Each fault once, at each call that an upload makes; afterwards the server is as it was before.
@Suite("Failing uploads leave nothing behind")
struct UploadFailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var call: String
        var fault: Fault
        var occurrence: Int?
        /// What the error has to say.
        var words: [String]
        var testDescription: String { "\(call): \(fault)\(occurrence.map { ", the \($0). time" } ?? "")" }
    }

    /// The calls of an upload, in their order; those that a failure needs to clean up fail once only.
    private static let reading = ["version", "nodes", "storages", "resources", "nextid", "permissions"]
    private static let writing = ["upload", "create", "template"]

    static let refusals: [Case] =
        (reading + writing).flatMap { call in
            [
                Case(
                    call: call, fault: .refuse(403, "Permission check failed (/vms/100, VM.Thing)"),
                    words: ["VM.Thing", "Grant"]),
                Case(
                    call: call, fault: .refuse(500, "got no worker upid"), words: ["got no worker upid", "journalctl"]),
                Case(
                    call: call, fault: .refuse(595, "No route to host"), words: ["could not reach the node", "offline"]),
                Case(call: call, fault: .hang, words: ["timed out"]),
                Case(call: call, fault: .cut, words: ["the connection", "Check the network"]),
            ]
        }
    static let lost: [Case] = writing.flatMap { call in
        [
            Case(call: call, fault: .doAndCut, words: ["the connection", "Check the network"]),
            Case(call: call, fault: .doAndHang, words: ["timed out", "load"]),
        ]
    }
    static let special: [Case] = [
        Case(call: "version", fault: .refuse(401, "No ticket"), words: ["401", "token"]),
        Case(call: "upload", fault: .refuse(501, "no such uri"), words: ["501", "URL"]),
        Case(
            call: "upload", fault: .refuse(500, "storage 'local' does not support 'import' content"),
            words: ["content type Import"]),
        Case(call: "upload", fault: .refuse(500, "cp: error writing: No space left on device"), words: ["/var/tmp"]),
        Case(call: "create", fault: .refuse(403, "Permission check failed"), words: ["VM.Allocate", "token"]),
        Case(
            call: "create", fault: .refuse(403, "Permission check failed (user != root@pam)"), words: ["Only root@pam"]),
        Case(call: "create", fault: .refuse(400, "Parameter verification failed."), words: ["Check the values"]),
        Case(call: "create", fault: .refuse(500, "bridge 'vmbr9' does not exist"), words: ["bridge that the node has"]),
        Case(call: "template", fault: .refuse(500, "VM is locked (backup)"), words: ["Something else works"]),
        Case(call: "config", fault: .refuse(500, "got timeout"), occurrence: 1, words: ["Wait for it"]),
        Case(
            call: "taskStatus", fault: .refuse(403, "Permission check failed (/nodes/pve, Sys.Audit)"), occurrence: 1,
            words: ["Sys.Audit", "PVEAuditor"]),
    ]

    @Test("a refused, silent or broken call", arguments: refusals + lost + special)
    func failing(one: Case) async throws {
        let cluster = FakeCluster()
        cluster.state.withLock {
            $0.machines[900] = .init(config: ["name": "somebody-elses"])
            $0.faults = [FaultRule(call: one.call, occurrence: one.occurrence, fault: one.fault)]
        }
        let isSilent = one.fault == .hang || one.fault == .doAndHang
        try await expectNothingLeft(cluster, one.words, pace: isSilent ? .impatient : .quick)
    }

    @Test(
        "a failing task",
        arguments: [
            ("imgcopy", "checksum mismatch: got 'a' != expect 'b'", "changed on their way"),
            ("imgcopy", "import failed: No space left on device", "Free space"),
            ("qmcreate", "unable to create VM 100 - storage 'local-lvm' does not support vm images", "Disk image"),
            ("qmcreate", "received interrupt", "task"),
            ("resize", "got timeout", "Wait for it"), ("qmtemplate", "can't lock file", "Wait for it"),
        ])
    func failingTask(type: String, end: String, advice: String) async throws {
        let cluster = FakeCluster()
        cluster.state.withLock { $0.failingTasks = [type: end] }
        try await expectNothingLeft(cluster, [end, advice, type])
    }

    @Test("a task that never ends", arguments: ["upload", "create", "template"])
    func endlessTask(call: String) async throws {
        let cluster = FakeCluster()
        var pace = ProxmoxPace.quick
        pace.taskLimit = .milliseconds(30)
        cluster.state.withLock { $0.taskLength = 1_000_000 }
        let names = ["upload": "imgcopy", "create": "qmcreate", "template": "qmtemplate"]
        let slow = try #require(names[call])
        let helper = Task {
            // Tasks of other types end at once.
            while !Task.isCancelled {
                cluster.state.withLock { state in
                    for index in state.tasks.indices where state.tasks[index].type != slow {
                        state.tasks[index].remaining = min(state.tasks[index].remaining, 1)
                    }
                }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        defer { helper.cancel() }
        try await expectNothingLeft(cluster, ["timed out", "slower than expected"], pace: pace)
    }

    @Test("cancelled at any call", arguments: ["permissions", "upload", "create", "taskStatus", "template"])
    func cancelled(call: String) async throws {
        let cluster = FakeCluster()
        let before = cluster.state.withLock { $0.inventory }
        let events = Events()
        var pace = ProxmoxPace.quick
        pace.callLimit = .seconds(60)
        pace.uploadLimit = .seconds(60)
        let patient = pace
        // Stuck there until it is cancelled.
        cluster.state.withLock { $0.faults = [FaultRule(call: call, occurrence: 1, fault: .doAndHang)] }
        try await withImage { image in
            try await FakeServer.with(cluster) { server in
                let upload = exampleUpload(image)
                let running = Task {
                    try await server.client(pace: patient) {
                        try await $0.uploadTemplate(upload, report: events.report)
                    }
                }
                while cluster.state.withLock({ $0.counts[call] ?? 0 }) == 0 {
                    try await Task.sleep(for: .milliseconds(1))
                }
                running.cancel()
                await #expect(throws: CancellationError.self) { try await running.value }
            }
        }
        #expect(cluster.state.withLock { $0.inventory } == before)
        #expect(events.leftBehind == [])
    }

    @Test("an SSH connection that breaks", arguments: [FakeShell.Step.upload, .run])
    func brokenShell(step: FakeShell.Step) async throws {
        let cluster = FakeCluster()
        let shell = FakeShell(cluster, broken: step)
        try await expectNothingLeft(cluster, ["the connection was lost", "SSH"], shell: shell)
        #expect(shell.left == [])
    }

    @Test(
        "an import through SSH that fails says why",
        arguments: [
            ("qm: command not found", "root, on a node"), ("storage 'x' does not exist", "pvesm status"),
            ("qemu-img: No space left on device", "Free space"),
        ])
    func failingImport(output: String, advice: String) async throws {
        let cluster = FakeCluster()
        let shell = FakeShell(cluster, broken: .run, words: output)
        try await expectNothingLeft(cluster, [output, advice, "qm importdisk"], shell: shell)
    }

    @Test(
        "what fails after an import through SSH",
        arguments: [
            ("change", Fault.refuse(403, "Permission check failed (/vms/100, VM.Config.Disk)"), "VM.Config.Disk"),
            ("change", .hang, "timed out"), ("template", .cut, "connection"),
        ])
    func shellFaults(call: String, fault: Fault, advice: String) async throws {
        let cluster = FakeCluster()
        cluster.state.withLock { $0.faults = [FaultRule(call: call, fault: fault)] }
        let shell = FakeShell(cluster)
        try await expectNothingLeft(cluster, [advice], shell: shell, pace: fault == .hang ? .impatient : .quick)
        #expect(shell.left == [])
    }

    @Test("a removal that is refused once is tried again")
    func stubbornRemoval() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock {
            $0.failingTasks = ["qmtemplate": "no"]
            $0.faults = [
                .init(call: "remove", occurrence: 1, fault: .refuse(500, "got timeout")),
                .init(call: "removeVolume", occurrence: 1, fault: .doAndCut),
                .init(call: "config", occurrence: 1, fault: .cut),
            ]
        }
        try await expectNothingLeft(cluster, ["qmtemplate"])
    }

    @Test("what cannot be removed is named, with the command to do it")
    func leftovers() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock {
            $0.faults = [
                .init(call: "template", fault: .refuse(500, "no")),
                .init(call: "remove", fault: .refuse(403, "Permission check failed (/vms/100, VM.Allocate)")),
                .init(
                    call: "removeVolume",
                    fault: .refuse(403, "Permission check failed (/storage/local, Datastore.Allocate)")),
            ]
        }
        let events = Events()
        let text = await upload(to: cluster, events: events)
        #expect(text.contains("make machine 100 a template"))
        #expect(events.leftBehind.count == 2)
        #expect(events.leftBehind.first?.contains("qm destroy 100 --purge") == true)
        #expect(events.leftBehind.last?.contains("pvesm free local:import/ingot-debian-13-scsi0-") == true)
    }

    @Test("after the template is complete, an uploaded file that stays is a warning")
    func warning() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock { $0.faults = [.init(call: "removeVolume", fault: .refuse(500, "no"))] }
        let result = try await withImage { image in
            try await FakeServer.with(cluster) { server in
                try await server.client { try await $0.uploadTemplate(exampleUpload(image)) }
            }
        }
        #expect(result.warnings.count == 1 && result.warnings.first?.contains("pvesm free local:import/") == true)
    }

    @Test("somebody else's machine under the number of a lost call stays")
    func stranger() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock { $0.faults = [.init(call: "create", fault: .cut)] }
        let text = await upload(
            to: cluster,
            change: { upload in
                upload.machine.vmid = 500
                cluster.state.withLock { $0.machines[500] = nil }
            }, beforeCreation: { $0.machines[500] = .init(config: ["name": "quicker", "smbios1": "uuid=1"]) })
        #expect(text.contains("create machine 500"))
        #expect(cluster.state.withLock { $0.inventory } == "machine 500")
    }

    /// Uploads, expects it to fail with these words, and the server to be as before.
    private func expectNothingLeft(
        _ cluster: FakeCluster, _ words: [String], shell: FakeShell? = nil, pace: ProxmoxPace = .quick
    ) async throws {
        let before = cluster.state.withLock { $0.inventory }
        let events = Events()
        let text = await upload(to: cluster, shell: shell, pace: pace, events: events)
        for word in words { #expect(text.contains(word), "\(text)") }
        #expect(text.contains("could not "), "\(text)")
        #expect(events.leftBehind == [])
        #expect(cluster.state.withLock { $0.inventory } == before)
    }

    /// - Returns: the error in words; empty if there was none.
    private func upload(
        to cluster: FakeCluster, shell: FakeShell? = nil, pace: ProxmoxPace = .quick, events: Events = Events(),
        change: (inout TemplateUpload) -> Void = { _ in },
        beforeCreation: (@Sendable (inout FakeCluster.State) -> Void)? = nil
    ) async -> String {
        await words {
            try await withImage { image in
                var upload = exampleUpload(image)
                upload.images[0].grownSize = 20 << 30
                if shell != nil { upload.delivery = .shell }
                change(&upload)
                let wanted = upload
                return try await FakeServer.with(cluster) { server in
                    try await server.client(pace: pace) { client in
                        try await client.uploadTemplate(wanted, shell: shell) { event in
                            if case .step(let step) = event, step.hasPrefix("create machine"), let beforeCreation {
                                cluster.state.withLock { beforeCreation(&$0) }
                            }
                            events.report(event)
                        }
                    }
                }
            }
        }
    }
}
