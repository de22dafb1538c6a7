import GuestFiles
import Scopes
import Testing

@Suite("Leftovers")
struct LeftoverTests {
    @Test("a secret is found anywhere in a file, and is not told")
    func secret() {
        let search = LeftoverSearch([Sensitive("hunter22"), Sensitive("")])
        let findings = search.findings(in: Array("user: jo\npassword: hhunter22\n".utf8), path: "/etc/x", mode: 0o644)
        #expect(findings.map(\.kind) == [.secret])
        #expect(!"\(findings)".contains("hunter22"))
        #expect(search.findings(in: Array("hunter2".utf8), path: "/etc/x", mode: 0o644).isEmpty)
    }

    @Test("secrets too short to mean anything are not searched for")
    func short() {
        #expect(LeftoverSearch([Sensitive("root")]).findings(in: Array("root".utf8), path: "/x", mode: 0o600).isEmpty)
    }

    @Test("lines that many files have are no secrets of their own, and the end of a secret's file is no part of it")
    func linesOfOthers() {
        let key = "-----BEGIN PRIVATE KEY-----\r\nMIIB\r\n-----END PRIVATE KEY-----\r\n"
        let secrets = [key, "-----END PRIVATE KEY-----", "MIIB", "hunter22\n", "hunter22"].map { Sensitive($0) }
        #expect(withoutLinesOfOthers(secrets).map { $0.reveal() } == [key, "hunter22\n", "hunter22"])
        let search = LeftoverSearch([Sensitive(key)])
        #expect(search.findings(in: Array("x\(key.dropLast())".utf8), path: "/x", mode: 0o600).map(\.kind) == [.secret])
    }

    @Test("a private key is reported only where others can read it")
    func privateKey() {
        let key = Array("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n".utf8)
        let search = LeftoverSearch([])
        #expect(search.findings(in: key, path: "/k", mode: 0o100644).map(\.kind) == [.readablePrivateKey])
        #expect(search.findings(in: key, path: "/k", mode: 0o100600).isEmpty)
        let certificate = Array("-----BEGIN CERTIFICATE-----\n".utf8)
        #expect(search.findings(in: certificate, path: "/k", mode: 0o100644).isEmpty)
    }
}

@Suite("An appliance that does not start")
struct ApplianceTroubleTests {
    private func trouble(
        _ message: String, _ console: String = "", kernels: [String: Bool] = ["/boot/vmlinuz-6": true],
        room: UInt64 = 10 << 30
    ) -> ApplianceTrouble {
        ApplianceTrouble(
            message: message, console: console,
            host: .init(
                kernels: kernels, cacheFolder: "/var/tmp", cacheRoom: room, temporaryFolder: "/tmp",
                temporaryRoom: room))
    }

    @Test("on a host without a kernel the hint is to install one")
    func noKernel() {
        #expect(trouble("supermin exited with error status 1", kernels: [:]).hint?.contains("linux-image") == true)
    }

    @Test("a kernel that only root may read is named with what mends it")
    func unreadableKernel() {
        let hint = trouble("supermin exited with error status 1", kernels: ["/boot/vmlinuz-6.8": false]).hint
        #expect(hint?.contains("sudo chmod a+r /boot/vmlinuz-6.8") == true)
    }

    @Test("the error for a full disk names the folders and the sizes")
    func noRoom() {
        let trouble = trouble(
            "supermin exited with error status 1", "supermin: error writing: No space left on device\n", room: 5 << 20)
        #expect(trouble.hint?.contains("/var/tmp has 5 MiB free") == true)
    }

    @Test("if KVM does not work, the hint is how to use emulation")
    func brokenKVM() {
        let trouble = trouble("guestfs_launch failed", "error: failed to set MSR 0x10a to 0x0\nqemu died\n")
        #expect(trouble.hint?.contains("force_tcg") == true)
    }

    @Test("the error for a disk in use says so")
    func locked() {
        let trouble = trouble(
            "guestfs_launch failed",
            "qemu-system-x86_64: -blockdev x: Failed to get \"write\" lock\nIs another process\n")
        #expect(trouble.reason.contains("lock"))
        #expect(trouble.hint?.contains("Another program") == true)
    }
}
