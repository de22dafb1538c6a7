import Foundation
import Libvirt
import Machines
import Scopes
import Testing

@Suite("why a machine stopped")
struct StopReasonTests {
    @Test(
        "a pause has QEMU's reason, and a machine that runs or is being turned off has none",
        arguments: [
            ("VM status: running", "", nil), ("VM status: paused (shutdown)", "", nil),
            ("VM status: paused", "", .paused("")),
            ("VM status: paused (internal-error)\r\n", "", .paused("internal-error")),
            ("VM status: paused (watchdog)", "", .paused("watchdog")),
            ("VM status: paused (io-error)", "vda: disk\n    I/O status:       failed", .paused("io-error")),
            ("VM status: paused (io-error)", "vda: disk\n    I/O status:       nospace", .outOfRoom),
        ] as [(String, String, MachineStopped.Reason?)])
    func reasons(status: String, disks: String, expected: MachineStopped.Reason?) {
        #expect(MachineStopped.Reason(status: status, disks: disks) == expected)
    }

    @Test("of QEMU's log the messages are shown, not the command line, libvirt's own lines or registers")
    func log() {
        let text = """
            2026-11-30 10:00:00.123+0000: starting up libvirt version: 9.0.0, qemu version: 7.2.0
            LC_ALL=C \\
            PATH=/usr/bin \\
            /usr/bin/qemu-system-x86_64 \\
            -name guest=x,debug-threads=on \\
            -msg timestamp=on
            char device redirected to /dev/pts/0 (label charserial0)
            KVM internal error. Suberror: 1
            extra data[0]: 0x0000000000000000
            extra data[1]: 0x0000000000000400
            emulation failure
            EAX=00000000 EBX=00000000 ECX=00000000 EDX=00000000
            ES =0000 00000000 0000ffff 00009300
            CR0=00000010 CR2=00000000
            Code=<ff> ff ff ff ff
            2026-11-30T10:00:01.000000Z qemu-system-x86_64: terminating on signal 15 from pid 1 (x)
            2026-11-30 10:00:01.500+0000: shutting down, reason=crashed
            """
        #expect(
            messages(inLog: text) == [
                "KVM internal error. Suberror: 1", "emulation failure",
                "2026-11-30T10:00:01.000000Z qemu-system-x86_64: terminating on signal 15 from pid 1 (x)",
            ])
    }
}

extension DomainTests {
    @Test("a machine that is paused from outside ends the wait at once")
    func pausedFromOutside() async throws {
        try await withMachine { domain, _ in
            let stop = try await #require(throws: MachineStopped.self) {
                try await domain.whileRunning {
                    _ = try await domain.monitor("stop")
                    try await Task.sleep(for: .seconds(120))
                }
            }
            #expect(stop.reason == .paused(""))
            #expect(!domain.isStopped, "it still has to be destroyed")
        }
    }

    @Test(
        "an I/O error of a disk ends the wait at once, a full file system by its name",
        arguments: [(5, MachineStopped.Reason.paused("io-error")), (28, .outOfRoom)])
    func ioError(number: Int, expected: MachineStopped.Reason) async throws {
        try await withWritingDisk { path in
            try await withMachine { description in
                let drive =
                    "driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=\(path),"
                    + "file.inject-error.0.event=write_aio,file.inject-error.0.errno=\(number),werror=stop,if=virtio"
                description = QemuArguments([("-drive", drive)]).applied(to: description).machine
            } _: { domain, _ in
                let stop = try await #require(throws: MachineStopped.self) {
                    try await domain.whileRunning { try await Task.sleep(for: .seconds(120)) }
                }
                #expect(stop.reason == expected)
            }
        }
    }

    @Test("a machine that ends while it is being started has ended for its waits", arguments: 0..<5)
    func endsAtOnce(run: Int) async throws {
        // The first instruction of this firmware ends QEMU: mov dx, 501h; out dx, al; hlt.
        var firmware = [UInt8](repeating: 0xF4, count: 64 << 10)
        firmware.replaceSubrange(0xFFF0..<0xFFF4, with: [0xBA, 0x01, 0x05, 0xEE])
        let path = NSTemporaryDirectory() + "ingot-\(UUID().uuidString).bin"
        try Data(firmware).write(to: URL(filePath: path))
        defer { unlink(path) }
        do {
            try await withMachine {
                $0.cdroms = []
                $0.firmware = .file(path, isFlash: false)
                $0.arguments += ["-device", "isa-debug-exit"]
            } _: { domain, _ in
                try await domain.waitUntilStopped(timeout: .seconds(30))
                #expect(domain.isStopped)
            }
        } catch let error as LibvirtError {
            // It was gone before the start was complete, which is as good.
            #expect(error.call == "virDomainCreateXML", "\(error)")
        }
    }

    /// A disk whose boot sector writes its second sector.
    private func withWritingDisk(_ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "ingot-\(UUID().uuidString)"
        // mov ax, 0301h; mov bx, 8000h; mov cx, 2; mov dx, 80h; int 13h; hlt
        let code: [UInt8] = [
            0xB8, 0x01, 0x03, 0xBB, 0x00, 0x80, 0xB9, 0x02, 0x00, 0xBA, 0x80, 0x00, 0xCD, 0x13, 0xF4,
        ]
        var bytes = code + [UInt8](repeating: 0, count: (1 << 20) - code.count)
        (bytes[510], bytes[511]) = (0x55, 0xAA)
        try Data(bytes).write(to: URL(filePath: path))
        defer { unlink(path) }
        try await body(path)
    }
}
