import Foundation
import Libvirt
import Machines
import Scopes
import Testing

extension DomainTests {
    @Test("a frozen machine is started twice from its memory while it runs on")
    func freezeAndRestore() async throws {
        try await withCountingGuest { guest, domain, hypervisor in
            try await guest.waitForMore()
            let memory = guest.folder + "/memory"
            try await domain.freeze(memory: memory, disks: guest.overlays("live"))
            let frozen = try guest.description.disks.map { try guest.number(on: $0.path) }
            try await guest.waitForMore()

            let one = try await guest.twin("one", on: hypervisor)
            let two = try await guest.twin("two", on: hypervisor)
            try await withRestored(one, memory, hypervisor) { restored in
                try await withRestored(two, memory, hypervisor) { _ in
                    for twin in [one, two] {
                        let counts = try await twin.waitForMore()
                        let first = try #require(counts.first)
                        // A disk may have been written and the number not yet be printed whole.
                        for number in frozen { #expect(first - 2...first ~= number) }
                        #expect(counts == Array(first..<first + UInt32(counts.count)))
                    }
                    try await guest.waitForMore()
                }
                let places = try await (domain.monitor("info pci"), restored.monitor("info pci"))
                #expect(devices(places.0) == devices(places.1))
            }
            #expect(try frozen == guest.description.disks.map { try guest.number(on: $0.path) })
            let counts = guest.counts
            #expect(counts == Array(1..<1 + UInt32(counts.count)))
            for disk in guest.overlays("live") {
                let info = try await imageTool(["info", "-U", disk.overlay])
                #expect(info.contains("backing file: \(disk.disk)\n") && info.contains("backing file format: raw"))
            }
        }
    }

    @Test("a machine is frozen again and again, with its disks alone and in the middle of its boot")
    func layers() async throws {
        try await withCountingGuest {
            $0.cpu = "max"
        } _: { guest, domain, hypervisor in
            let memory = guest.folder + "/memory"
            try await domain.freeze(memory: memory, disks: guest.overlays("a"))
            // On a quick machine the guest may have got as far as counting.
            let frozen = try guest.number(on: guest.description.disks[0].path)
            let twin = try await guest.twin("twin", on: hypervisor)
            // The stream as it is stored, without its header.
            let stream = try Data(contentsOf: URL(filePath: memory)).dropFirst(
                Int(MemoryImage.streamOffset(of: memory)))
            let stored = guest.folder + "/stored"
            try (MemoryImage.header(xml: domainXML(twin.description)) + stream).write(to: URL(filePath: stored))
            try await withRestored(twin, stored, hypervisor) { _ in
                let counts = try await twin.waitForMore()
                let first = try #require(counts.first)
                #expect(Int(first) - 2...Int(first) ~= Int(frozen), "\(counts) goes on from \(frozen)")
            }
            try await guest.waitForMore()
            let disks = guest.overlays("a").map { ($0.overlay, $0.overlay + "b", "qcow2" as String?) }
            try await domain.freeze(memory: nil, disks: disks)
            let upTo = try #require(guest.counts.last)
            try await guest.waitForMore()
            for disk in disks {
                let flat = disk.1 + ".raw"
                try await imageTool(["convert", "-U", "-O", "raw", disk.0, flat])
                #expect(try 1...upTo + 1 ~= guest.number(on: flat))
            }
        }
    }

    @Test("a QEMU that does not answer any more ends with the freeze's deadline, not never", arguments: [true, false])
    func hang(copies: Bool) async throws {
        try await withCountingGuest { guest, domain, _ in
            try await guest.waitForMore()
            let emulator = try #require(domain.pid)
            kill(emulator, SIGSTOP)
            let file = guest.description.disks[0].path
            await #expect(throws: (any Error).self) {
                try await domain.freeze(
                    memory: guest.folder + "/memory", disks: guest.overlays("x"),
                    copying: copies ? [(file, file + ".copy")] : [], timeout: .seconds(1), grace: .seconds(1))
            }
            try await domain.waitUntilStopped(timeout: .seconds(30))
        }
    }

    @Test("a freeze that fails leaves the machine running and nothing behind")
    func failedFreeze() async throws {
        try await withCountingGuest { guest, domain, _ in
            try await guest.waitForMore()
            var noFolder = guest.overlays("live")
            noFolder[1].overlay = guest.folder + "/none/overlay"
            var wrong = guest.overlays("live")
            wrong[0].disk = "/none"
            var format = guest.overlays("live")
            format[0].format = "qcow2"
            let memory = guest.folder + "/memory"
            let there = guest.folder + "/there"
            try Data().write(to: URL(filePath: there))
            let attempts =
                [
                    (memory, noFolder, []), (nil, noFolder, []),
                    (guest.folder + "/none/memory", guest.overlays("live"), []),
                    ("/dev/full", guest.overlays("live"), []), (memory, wrong, []), (nil, format, []),
                    (memory, noFolder, [(from: there, to: there + "2")]),
                ] as [(String?, [(disk: String, overlay: String, format: String?)], [(from: String, to: String)])]
            for (memory, disks, copying) in attempts {
                await #expect(throws: LibvirtError.self) {
                    try await domain.freeze(memory: memory, disks: disks, copying: copying)
                }
                try await guest.waitForMore()
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: guest.folder).sorted()
            #expect(left == ["first", "second", "serial", "there"])

            let cancelled = Task { try await domain.freeze(memory: memory, disks: guest.overlays("x")) }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            try await guest.waitForMore()
            // A copy that fails is told, and the disks are frozen all the same.
            await #expect(throws: (any Error).self) {
                try await domain.freeze(memory: nil, disks: guest.overlays("live"), copying: [("/none", there + "2")])
            }
            try await guest.waitForMore()
        }
    }

    @Test("memory that is cut short or damaged starts nothing")
    func damagedMemory() async throws {
        try await withCountingGuest { guest, domain, hypervisor in
            try await guest.waitForMore()
            let memory = guest.folder + "/memory"
            try await domain.freeze(memory: memory, disks: guest.overlays("live"))
            let whole = try Data(contentsOf: URL(filePath: memory))
            let start = try Int(MemoryImage.streamOffset(of: memory))
            let twin = try await guest.twin("twin", on: hypervisor)
            let bad = guest.folder + "/bad"
            let rest = whole.count - start
            let cut = [8, rest / 2].map { whole.prefix(start + $0) }
            let scrambled = whole.prefix(start + rest / 2) + Data(repeating: 0xA5, count: rest - rest / 2)
            for data in cut + [scrambled] {
                try data.write(to: URL(filePath: bad))
                await #expect(throws: LibvirtError.self) {
                    try await hypervisor.restore(memory: bad, xml: domainXML(twin.description)).destroy()
                }
                let root = try #require(hypervisor.root?.path)
                #expect(access("\(root)/run/qemu/\(twin.description.name).pid", F_OK) != 0)
            }
            // The first machine's name is taken.
            await #expect(throws: LibvirtError.self) {
                try await hypervisor.restore(memory: memory, xml: domainXML(guest.description)).destroy()
            }
            let cancelled = Task {
                try await hypervisor.restore(memory: memory, xml: domainXML(twin.description)).destroy()
            }
            try await Task.sleep(for: .milliseconds(100))
            cancelled.cancel()
            // Either way nothing is left of it.
            _ = await cancelled.result

            let left = try FileManager.default.contentsOfDirectory(atPath: guest.folder)
            #expect(left.filter { $0.hasPrefix("memory") || $0.hasPrefix("bad") }.sorted() == ["bad", "memory"])
        }
    }

    @Test("UEFI variables and the TPM are frozen with the machine, and come back from the memory and from their copies")
    func firmware() async throws {
        let folder = NSTemporaryDirectory() + "ingot-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A leftover of a test harms nobody.
        func change(_ machine: inout MachineDescription, _ name: String) {
            machine.uuid = UUID().uuidString
            machine.machineType = "q35"
            // QEMU 7.2 may hang for good when it is stopped while an AHCI drive's CD is read.
            machine.cdroms = []
            machine.tpm = (model: "tpm-crb", version: "2.0")
            machine.cpu = "qemu64,-cx16"
            machine.serialPath = "\(folder)/\(name).serial"
            machine.disks = [
                .init(
                    path: "\(folder)/\(name).disk", format: "qcow2", bus: .virtio, cache: "unsafe", discard: "ignore",
                    detectZeroes: "off")
            ]
            machine.firmware = .efi(
                code: "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", template: "/usr/share/OVMF/OVMF_VARS_4M.ms.fd",
                vars: "\(folder)/\(name).fd")
        }
        try await imageTool(["create", "-q", "-f", "qcow2", folder + "/first.disk", "1M"])
        for name in ["twin", "boot"] {
            let arguments = ["-b", folder + "/first.disk", "-F", "qcow2", "\(folder)/\(name).disk"]
            try await imageTool(["create", "-q", "-f", "qcow2"] + arguments)
        }
        var made: MachineDescription?
        try await withMachine {
            change(&$0, "first")
            made = $0
        } _: { domain, hypervisor in
            let description = try #require(made)
            let root = try #require(hypervisor.root)
            func tpm(_ machine: MachineDescription) -> String {
                root.tpmState(uuid: machine.uuid ?? "", version: "2.0") + "/tpm2-00.permall"
            }
            // Later the firmware's own writing is over: the shell or the boot menu waits.
            try await poll("waiting for the firmware", every: .milliseconds(100), limit: .seconds(60)) {
                // The file comes with the machine.
                let text = (try? String(contentsOfFile: folder + "/first.serial", encoding: .isoLatin1)) ?? ""
                return text.contains("BdsDxe") ? () : nil
            }
            try await domain.freeze(
                memory: folder + "/memory", disks: [(folder + "/first.disk", folder + "/live.disk", nil)],
                copying: [(folder + "/first.fd", folder + "/frozen.fd"), (tpm(description), folder + "/frozen.tpm")])
            let frozenTPM = try Data(contentsOf: URL(filePath: folder + "/frozen.tpm"))

            var twin = description
            twin.name += "-twin"
            change(&twin, "twin")
            twin.screen = nil
            let restored = try await hypervisor.restore(memory: folder + "/memory", xml: domainXML(twin))
            #expect(try Data(contentsOf: URL(filePath: tpm(twin))) == frozenTPM)
            #expect(try await restored.monitor("info status").contains("running"))
            #expect(try await restored.monitor("info tpm").contains("tpm-crb"))
            let places = try await (domain.monitor("info pci"), restored.monitor("info pci"))
            #expect(devices(places.0) == devices(places.1))
            try await restored.destroy()

            // A boot of what was frozen takes the TPM's state that lies there: a broken one is refused.
            var boot = description
            boot.name += "-boot"
            change(&boot, "boot")
            boot.screen = nil
            try FileManager.default.copyItem(atPath: folder + "/frozen.fd", toPath: folder + "/boot.fd")
            let place = URL(filePath: tpm(boot))
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("broken".utf8).write(to: place)
            let xml = domainXML(boot)
            await #expect(throws: LibvirtError.self) { try await hypervisor.start(xml).destroy() }
        }
    }

    @Test("a machine that changes its memory faster than it is saved is paused, and frozen all the same")
    func busyMachine() async throws {
        // In 32 bits, with a flat segment: again: inc ebx ; mov edi, 200000h
        // page: mov [edi], ebx ; add edi, 4096 ; cmp edi, 0B000000h ; jb page ; mov al, '.' ; out dx, al ; jmp again
        try await withCountingGuest(code: [
            0xFA, 0x31, 0xC0, 0x8E, 0xD8, 0xE4, 0x92, 0x0C, 0x02, 0xE6, 0x92, 0x0F, 0x01, 0x16, 0x60, 0x7C, 0x0F, 0x20,
            0xC0, 0x0C, 0x01, 0x0F, 0x22, 0xC0, 0xEA, 0x1D, 0x7C, 0x08, 0x00, 0x66, 0xB8, 0x10, 0x00, 0x8E, 0xD8, 0x66,
            0xBA, 0xF8, 0x03, 0x43, 0xBF, 0x00, 0x00, 0x20, 0x00, 0x89, 0x1F, 0x81, 0xC7, 0x00, 0x10, 0x00, 0x00, 0x81,
            0xFF, 0x00, 0x00, 0x00, 0x0B, 0x72, 0xF0, 0xB0, 0x2E, 0xEE, 0xEB, 0xE5, 0x8D, 0xB6, 0x00, 0x00, 0x00, 0x00,
            0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x9A, 0xCF, 0x00, 0xFF, 0xFF,
            0x00, 0x00, 0x00, 0x92, 0xCF, 0x00, 0x17, 0x00, 0x48, 0x7C, 0x00, 0x00,
        ]) {
            $0.memory = 256
        } _: { guest, domain, _ in
            let waitForMore = { @Sendable in
                let known = try Data(contentsOf: URL(filePath: guest.folder + "/serial")).count
                try await poll("waiting for the guest", every: .milliseconds(50), limit: .seconds(60)) {
                    try Data(contentsOf: URL(filePath: guest.folder + "/serial")).count > known + 5 ? () : nil
                }
            }
            try await waitForMore()
            // Nothing is small enough to be sent in no time.
            _ = try await domain.monitor("migrate_set_parameter downtime-limit 1")
            await #expect(throws: TimedOut.self) {
                try await domain.freeze(
                    memory: guest.folder + "/memory", disks: guest.overlays("live"), timeout: .milliseconds(200))
            }
            try await waitForMore()
            // It may have been done in the very moment in which it was given up.
            if try await !domain.writes(to: guest.overlays("live")[0].overlay) {
                #expect(access(guest.folder + "/memory", F_OK) != 0)
                #expect(access(guest.overlays("live")[0].overlay, F_OK) != 0)
                try await domain.freeze(
                    memory: guest.folder + "/memory", disks: guest.overlays("live"), timeout: .seconds(60))
                try await waitForMore()
            }
            let size = try Data(contentsOf: URL(filePath: guest.folder + "/memory"), options: .alwaysMapped).count
            #expect(size < 600 << 20)
        }
    }

    private func withCountingGuest(
        code: [UInt8] = CountingGuest.code,
        _ change: (inout MachineDescription) -> Void = { _ in },
        _ body: (CountingGuest, Domain, Hypervisor) async throws -> Void
    ) async throws {
        var made: CountingGuest?
        defer { try? made?.remove() }  // A leftover of a test harms nobody.
        var failure: (any Error)?
        try await withMachine {
            change(&$0)
            do {
                made = try CountingGuest($0, code: code)
                if let made { $0 = made.description }
            } catch { failure = error }
        } _: { domain, hypervisor in
            if let failure { throw failure }
            try await body(#require(made), domain, hypervisor)
        }
    }

    private func withRestored(
        _ guest: CountingGuest, _ memory: String, _ hypervisor: Hypervisor, _ body: (Domain) async throws -> Void
    ) async throws {
        let domain = try await hypervisor.restore(memory: memory, xml: domainXML(guest.description))
        do { try await body(domain) } catch {
            try await domain.destroy()
            throw error
        }
        try await domain.destroy()
    }

    /// The places and kinds of a machine's devices, without the addresses that the guest gives them.
    private func devices(_ listing: String) -> [Substring] {
        listing.split(whereSeparator: \.isNewline).filter { $0.contains("device") }
    }
}
