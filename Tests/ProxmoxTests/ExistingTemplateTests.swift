import Foundation
import Proxmox
import ProxmoxConfiguration
import Scopes
import Synchronization
import Testing

extension UploadTests {
    /// A template that stands on the server already.
    private func existing(
        _ name: String, id: Int, made: Int64? = nil, family: String? = nil, in cluster: FakeCluster
    ) {
        let mark = made.map {
            TemplateMark(family: family ?? name, made: Date(timeIntervalSince1970: Double($0))).added(to: "notes")
        }
        cluster.state.withLock {
            $0.machines[id] = .init(config: ["name": name, "template": "1", "description": mark ?? "by hand"])
            $0.storages["local-lvm"]?.volumes["local-lvm:base-\(id)-disk-0"] = .init(
                content: "images", data: Data(), owner: id)
        }
    }

    @Test("an existing template is left alone unless told otherwise")
    func refusing() async throws {
        let cluster = FakeCluster()
        existing("debian-13", id: 200, made: 1, in: cluster)
        let before = cluster.state.withLock { $0.inventory }
        #expect(await words { try await run(cluster) }.contains("template 200 (debian-13) exists on node pve"))
        #expect(
            await words {
                try await run(cluster) {
                    $0.machine.vmid = 200; $0.machine.name = "x"
                }
            }.contains("template 200"))
        #expect(cluster.state.withLock { $0.inventory } == before)
    }

    @Test("replacing removes the old template after the new one is complete")
    func replacing() async throws {
        let cluster = FakeCluster()
        existing("debian-13", id: 200, made: 1, in: cluster)
        let result = try await run(cluster) { $0.existing = .replace(any: false) }
        #expect(result.vmid == 100 && result.removed == [200])
        let calls = cluster.state.withLock { $0.calls }
        let (template, remove) = (calls.firstIndex(of: "template") ?? 99, calls.firstIndex(of: "remove") ?? 0)
        #expect(template < remove)
        #expect(cluster.state.withLock { $0.machines.keys.sorted() } == [100])
    }

    @Test("replacing under the same number keeps the number")
    func replacingNumber() async throws {
        let cluster = FakeCluster()
        existing("debian-13", id: 9000, made: 1, in: cluster)
        let result = try await run(cluster) {
            $0.machine.vmid = 9000
            $0.existing = .replace(any: false)
        }
        #expect(result.vmid == 9000 && result.removed == [9000])
        #expect(cluster.state.withLock { $0.machines[9000]?.config["scsi0"] } != nil)
    }

    @Test("replacing never removes what was not made here, unless forced, and machines never")
    func strangers() async throws {
        let cluster = FakeCluster()
        existing("debian-13", id: 200, in: cluster)
        existing("other", id: 300, made: 1, family: "other", in: cluster)
        cluster.state.withLock { $0.machines[400] = .init(config: ["name": "debian-13"]) }
        let before = cluster.state.withLock { $0.inventory }
        #expect(
            await words { try await run(cluster) { $0.existing = .replace(any: false) } }.contains("not made by Ingot"))
        let other = await words {
            try await run(cluster) {
                $0.machine.vmid = 300; $0.machine.name = "x"; $0.existing = .replace(any: false)
            }
        }
        #expect(other.contains("not made by Ingot"))
        let machine = await words {
            try await run(cluster) {
                $0.machine.vmid = 400; $0.existing = .replace(any: true)
            }
        }
        #expect(machine.contains("is not a template"))
        #expect(cluster.state.withLock { $0.inventory } == before)
        let forced = try await run(cluster) { $0.existing = .replace(any: true) }
        #expect(forced.removed == [200])
        #expect(cluster.state.withLock { $0.machines.keys.sorted() } == [100, 300, 400])
    }

    @Test("a number that the old template left free meanwhile, and the new one got, is not removed")
    func ownNumber() async throws {
        let cluster = FakeCluster()
        existing("debian-13", id: 100, made: 1, in: cluster)
        let events = Events { step in
            // Another run replaces it first.
            if step.hasPrefix("upload") { cluster.state.withLock { $0.machines[100] = nil } }
        }
        let result = try await run(cluster, events: events) { $0.existing = .replace(any: false) }
        #expect(result.vmid == 100 && result.removed == [] && result.warnings == [])
        #expect(cluster.state.withLock { $0.machines[100]?.config["template"] } == "1")
    }

    /// What got an old template's number meanwhile; the marks are those of the old one or of a later one.
    private static let successors: [[String: String]] = [
        ["name": "debian-13", "description": "<!-- ingot template debian-13 1 -->"],
        ["name": "other", "template": "1", "description": "<!-- ingot template debian-13 1 -->"],
        ["name": "debian-13", "template": "1", "description": "<!-- ingot template debian-13 2 -->"],
        [
            "name": "debian-13", "template": "1", "description": "<!-- ingot template debian-13 1 -->",
            "smbios1": "uuid=2b9d7b4c-5a0b-4d0e-9a35-3e2f7f1b0a11",
        ],
    ]

    @Test("what has an old template's number meanwhile stays, with a warning", arguments: successors)
    func reusedNumber(config: [String: String]) async throws {
        let cluster = FakeCluster()
        existing("debian-13", id: 200, made: 1, in: cluster)
        let events = Events { step in
            if step.hasPrefix("upload") { cluster.state.withLock { $0.machines[200] = .init(config: config) } }
        }
        let result = try await run(cluster, events: events) { $0.existing = .replace(any: true) }
        #expect(result.vmid == 100 && result.removed == [])
        #expect(result.warnings.count == 1 && result.warnings.first?.contains("no longer the template") == true)
        #expect(cluster.state.withLock { $0.machines[200]?.config } == config)
    }

    @Test("what has the wanted number meanwhile stays, and nothing is made", arguments: successors)
    func reusedWantedNumber(config: [String: String]) async throws {
        let cluster = FakeCluster()
        existing("debian-13", id: 9000, made: 1, in: cluster)
        let events = Events { step in
            if step.hasPrefix("upload") { cluster.state.withLock { $0.machines[9000] = .init(config: config) } }
        }
        let text = await words {
            try await run(cluster, events: events) {
                $0.machine.vmid = 9000
                $0.existing = .replace(any: true)
            }
        }
        #expect(text.contains("9000 on node pve is no longer the template"), "\(text)")
        cluster.state.withLock { state in
            #expect(state.machines.count == 1 && state.machines[9000]?.config == config)
            #expect(state.storages["local"]?.volumes.isEmpty == true)
        }
    }

    @Test("the removal of an old template does not hold up the end for long")
    func endlessRemoval() async throws {
        let cluster = FakeCluster()
        existing("debian-13", id: 200, made: 1, in: cluster)
        cluster.state.withLock { $0.endlessTasks = ["qmdestroy"] }
        var pace = ProxmoxPace.quick
        pace.cleanupLimit = .seconds(1)
        let result = try await run(cluster, pace: pace) { $0.existing = .replace(any: false) }
        #expect(result.removed == [])
        let warning = try #require(result.warnings.first { $0.contains("remove template 200") })
        #expect(warning.contains("timed out after 1 s") && warning.contains("goes on"), "\(warning)")
    }

    @Test("versions stand beside each other, and the oldest go")
    func versions() async throws {
        let cluster = FakeCluster()
        existing("debian-13-1", id: 201, made: 1, family: "debian-13", in: cluster)
        existing("debian-13-2", id: 202, made: 2, family: "debian-13", in: cluster)
        existing("debian-13-3", id: 203, made: 3, family: "debian-13", in: cluster)
        existing("debian-13-mine", id: 204, in: cluster)
        existing("debian-13-slim-1", id: 205, made: 1, family: "debian-13-slim", in: cluster)
        let all = try await run(cluster) { $0.existing = .version(label: "4", keep: nil) }
        #expect(all.name == "debian-13-4" && all.removed == [])
        let some = try await run(cluster) {
            $0.existing = .version(label: "5", keep: 3)
            $0.made += 60
        }
        #expect(some.name == "debian-13-5" && some.removed == [202, 201])
        #expect(cluster.state.withLock { $0.machines.keys.sorted() } == [100, 101, 203, 204, 205])
        let again = await words { try await run(cluster) { $0.existing = .version(label: "5", keep: 3) } }
        #expect(again.contains("debian-13-5) exists already"))
        #expect(
            await words { try await run(cluster) { $0.existing = .version(label: "a b", keep: 1) } }.contains("label"))
        #expect(
            await words { try await run(cluster) { $0.existing = .version(label: "6", keep: 0) } }.contains("keep = 0"))
    }

    @Test("an old version that clones still use stays, with a warning")
    func usedVersion() async throws {
        let cluster = FakeCluster()
        existing("debian-13-1", id: 201, made: 1, family: "debian-13", in: cluster)
        cluster.state.withLock { $0.machines[201]?.hasLinkedClones = true }
        let result = try await run(cluster) { $0.existing = .version(label: "2", keep: 1) }
        #expect(result.removed == [] && result.warnings.count == 1)
        #expect(result.warnings.first?.contains("Linked clones") == true)
        #expect(cluster.state.withLock { $0.machines.keys.sorted() } == [100, 201])
    }

    @Test("a number that a container has is taken")
    func container() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock {
            $0.machines[300] = .init(config: ["name": "debian-13", "template": "1"], isContainer: true)
        }
        let text = await words {
            try await run(cluster) {
                $0.machine.vmid = 300
                $0.existing = .replace(any: true)
            }
        }
        #expect(text.contains("is not a template"), "\(text)")
        #expect(try await run(cluster).vmid == 100)
    }
}
