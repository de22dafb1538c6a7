import Foundation
import Pipeline
import Scopes
import Synchronization
import Testing

@Suite("The post-processor proxmox")
struct UploadPostProcessorTests {
    /// Options that reach a server; `more` are further ones.
    private func block(_ server: FakeServer, _ more: String = "") -> String {
        """
          post-processor "proxmox" {
            proxmox_url = "\(server.url)"
        \(more)
          }
        """
    }

    private static let token = "    username = \"ci@pve!ingot\"\n    token = \"aaaa-bbbb\"\n"

    private func authority() async throws -> String {
        "    ca_file = \"\(try await FakeCertificates.made.value.authority)\"\n"
    }

    private func quickCluster() -> FakeCluster {
        let cluster = FakeCluster()
        cluster.state.withLock { $0.taskLength = 1 }
        return cluster
    }

    @Test("disks and UEFI variables become a template, and no secret is told")
    func template() async throws {
        let variables = Data((0..<131_072).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let build = try FinishedBuild(images: ["packer-vm": FinishedBuild.system, "efivars.fd": variables])
        let (cluster, authority) = (quickCluster(), try await authority())
        let artifacts = try await FakeServer.with(cluster) { server in
            try await build.run(
                block(server, Self.token + authority + "    template_name = \"golden\"\n    tags = \"a;b\"\n"),
                source: "  efi_boot = true\n  vtpm = true")
        }
        #expect(artifacts.last?.id == "100")
        try cluster.state.withLock { state in
            let config = try #require(state.machines[100]).config
            #expect(config["template"] == "1" && config["name"] == "golden" && config["bios"] == "ovmf")
            #expect(config["tags"] == "a;b" && config["tpmstate0"]?.contains("version=v2.0") == true)
            #expect(config["efidisk0"]?.contains("efitype=2m") == true)
            let disks = state.storages["local-lvm"]?.volumes.values.map(\.data) ?? []
            #expect(disks.contains(FinishedBuild.system) && disks.contains(variables))
            #expect(state.storages["local"]?.volumes.isEmpty == true)
        }
        #expect(build.log.texts.contains { $0.contains("Template 100 (golden) is on node pve") })
        #expect(!build.log.texts.contains { $0.contains("aaaa-bbbb") })
    }

    @Test("server and login come from the environment, too, and a password signs in")
    func environment() async throws {
        let build = try FinishedBuild()
        let (cluster, authority) = (quickCluster(), try await authority())
        _ = try await FakeServer.with(cluster) { server in
            try await build.run(
                "  post-processor \"proxmox\" {\n\(authority)  }",
                environment: [
                    "PROXMOX_URL": server.url, "PROXMOX_USERNAME": "ci@pve", "PROXMOX_PASSWORD": "p&ss word",
                ])
        }
        #expect(cluster.state.withLock { $0.machines[100]?.config["template"] } == "1")
    }

    @Test("a fingerprint is trusted; no check at all is said loudly")
    func trust() async throws {
        let fingerprint = try await FakeCertificates.made.value.fingerprint
        for (option, isLoud) in [
            ("    fingerprint = \"\(fingerprint)\"\n", false), ("    insecure_skip_tls_verify = true\n", true),
        ] {
            let build = try FinishedBuild()
            let cluster = quickCluster()
            _ = try await FakeServer.with(cluster) { try await build.run(block($0, Self.token + option)) }
            #expect(cluster.state.withLock { $0.machines.count } == 1)
            #expect(build.log.warnings.contains { $0.contains("NOT checked") } == isLoud)
        }
    }

    @Test("of three versions two are kept, and -force replaces what was made here")
    func versions() async throws {
        let build = try FinishedBuild()
        let (cluster, authority) = (quickCluster(), try await authority())
        try await FakeServer.with(cluster) { server in
            for number in 1...3 {
                _ = try await build.run(
                    block(server, Self.token + authority + "    existing = \"version\"\n    keep = 2\n"),
                    at: 1_800_000_000 + Double(number) * 60)
            }
            #expect(
                cluster.state.withLock { $0.machines.values.compactMap { $0.config["name"] }.sorted() }
                    == ["packer-vm-20270115-080200", "packer-vm-20270115-080300"])
            let plain = block(server, Self.token + authority + "    template_name = \"golden\"\n")
            _ = try await build.run(plain)
            let reason = await words { _ = try await build.run(plain) }
            #expect(reason.contains("(golden) exists"))
            _ = try await build.run(plain, force: true)
            #expect(cluster.state.withLock { $0.machines.values.filter { $0.config["name"] == "golden" }.count } == 1)
        }
    }

    @Test("a refusal says what is missing, and leaves the images and the server as they were")
    func refusal() async throws {
        let build = try FinishedBuild()
        let (cluster, authority) = (quickCluster(), try await authority())
        cluster.state.withLock { $0.privileges = ["/": FakeCluster.State.enough.subtracting(["VM.Config.Disk"])] }
        let before = cluster.state.withLock { $0.inventory }
        let reason = await words {
            try await FakeServer.with(cluster) { server in
                _ = try await build.run(
                    block(server, Self.token + authority + "    keep_input_artifact = false\n"))
            }
        }
        #expect(reason.contains("VM.Config.Disk"))
        #expect(cluster.state.withLock { $0.inventory } == before && build.names() == ["packer-vm"])
    }

    @Test("a wrong login or node is told before the build, which changes nothing")
    func check() async throws {
        let build = try FinishedBuild()
        let (cluster, authority) = (quickCluster(), try await authority())
        let before = cluster.state.withLock { $0.inventory }
        try await FakeServer.with(cluster) { server in
            let right = block(server, Self.token + authority)
            _ = try await build.run(right, checksOnly: true)
            let login = await words {
                _ = try await build.run(right.replacing("aaaa-bbbb", with: "cccc-dddd"), checksOnly: true)
            }
            #expect(login.contains("401"))
            let node = await words {
                let options = Self.token + authority + "    node = \"pve9\"\n"
                _ = try await build.run(block(server, options), checksOnly: true)
            }
            #expect(node.contains("no node “pve9”") && node.contains("one of: pve."))
        }
        #expect(cluster.state.withLock { $0.inventory } == before)
    }

    @Test("what stands in the way on the server is told before the build")
    func checkPlan() async throws {
        let build = try FinishedBuild()
        let (cluster, authority) = (quickCluster(), try await authority())
        cluster.state.withLock {
            $0.machines[200] = .init(config: ["name": "golden", "template": "1", "description": "by hand"])
        }
        let before = cluster.state.withLock { $0.inventory }
        try await FakeServer.with(cluster) { server in
            func reason(_ options: String) async -> String {
                await words {
                    _ = try await build.run(block(server, Self.token + authority + options), checksOnly: true)
                }
            }
            #expect(await reason("    template_name = \"golden\"\n").contains("template 200 (golden) exists"))
            #expect(await reason("    storage_pool = \"tank\"\n").contains("no enabled storage “tank”"))
            #expect(await reason("    import_storage_pool = \"nfs\"\n").contains("“nfs” does not take imports"))
            cluster.state.withLock { $0.nodes["pve2"] = "online" }
            #expect(await reason("").contains("several nodes"))
            cluster.state.withLock { $0.privileges = ["/": FakeCluster.State.enough.subtracting(["VM.Config.Disk"])] }
            #expect(await reason("    node = \"pve\"\n").contains("“VM.Config.Disk” on “/vms/100”"))
        }
        #expect(cluster.state.withLock { $0.inventory } == before)
    }

    @Test("a version's name that the server would refuse is an error of the template")
    func versionName() throws {
        func mistakes(_ options: String) throws -> String {
            try FinishedBuild.mistakes(
                """
                  post-processor "proxmox" {
                    proxmox_url = "https://pve.example.com"
                    username    = "ci@pve!ingot"
                    token       = "aaaa-bbbb"
                    existing    = "version"
                \(options)
                  }
                """)
        }
        #expect(try mistakes("    version_label = \"a b\"").contains("“packer-vm-a b” may hold only"))
        #expect(try mistakes("    template_name = \"\(String(repeating: "a", count: 50))\"").contains("the run's time"))
        #expect(try mistakes("    version_label = \"7\"") == "")
    }

    @Test("what logs in is secret from the start, even where the template has it in plain text")
    func secrets() throws {
        let secrets = try FinishedBuild.secrets(
            of: """
                  post-processor "proxmox" {
                    proxmox_url  = "https://pve.example.com"
                    username     = "ci@pve!ingot"
                    token        = "aaaa-bbbb"
                    password     = "${build.Password}"
                    ssh_password = "of the node"
                  }
                """)
        #expect(Set(secrets) == ["aaaa-bbbb", "of the node"])
    }

    @Test("an SSH host that is another node is told before the build")
    func otherNode() async throws {
        let (cluster, authority) = (quickCluster(), try await authority())
        let node = try FakeNode(cluster, named: "pve2")
        defer { node.stop() }
        let build = try FinishedBuild()
        let reason = await words {
            try await FakeServer.with(cluster) { server in
                _ = try await build.run(
                    block(server, Self.token + authority + login(node)), checksOnly: true)
            }
        }
        #expect(reason.contains("leads to “pve2”") && reason.contains("ssh_host"), "\(reason)")
    }

    private func login(_ node: FakeNode) -> String {
        """
            delivery = "ssh"
            ssh_host = "127.0.0.1"
            ssh_port = \(node.port)
            ssh_username = "\(NSUserName())"
            ssh_private_key_file = "\(node.folder)/key"

        """
    }

    @Test("an older server gets the disk through a real SSH server, whose key is checked first")
    func shell() async throws {
        let (cluster, authority) = (quickCluster(), try await authority())
        cluster.state.withLock { $0.version = "8.2.0" }
        let node = try FakeNode(cluster)
        defer { node.stop() }
        let build = try FinishedBuild()
        try await FakeServer.with(cluster) { server in
            let options = Self.token + authority + login(node)
            let wrong = "    ssh_host_key_fingerprint = \"SHA256:\(String(repeating: "A", count: 43))\"\n"
            let reason = await words { _ = try await build.run(block(server, options + wrong)) }
            #expect(reason.contains("was expected") && cluster.state.withLock { $0.machines.isEmpty })
            _ = try await build.run(
                block(server, options + "    ssh_host_key_fingerprint = \"\(node.hostKeyFingerprint)\"\n"))
            #expect(!build.log.warnings.contains { $0.contains("NOT checked") })
            _ = try await build.run(block(server, options + "    template_name = \"second\"\n"))
            #expect(build.log.warnings.contains { $0.contains(node.hostKeyFingerprint) })
        }
        cluster.state.withLock { state in
            #expect(state.machines.values.filter { $0.config["template"] == "1" }.count == 2)
            #expect(state.storages["local-lvm"]?.volumes.values.contains { $0.data == FinishedBuild.system } == true)
        }
        #expect(node.left == [])
    }
}
