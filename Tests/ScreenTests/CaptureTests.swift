import Foundation
import RemoteFramebuffer
import Screen
import Testing

@Suite("Captured screens")
struct CaptureTests {
    @Test("the boot messages of SeaBIOS, ISOLINUX and iPXE are read from a text mode")
    func bootMessages() throws {
        let lines = try #require(textOnScreen(try capture("boot-720x400"))?.lines)
        #expect(lines.count == 25)
        #expect(lines.first == "SeaBIOS (version 1.16.2-debian-1.16.2-1)")
        #expect(lines.contains("ISOLINUX 6.04 20200816 ETCD Copyright (C) 1994-2015 H. Peter Anvin et al"))
        #expect(lines.contains("Features: DNS HTTP iSCSI NFS TFTP SRP AoE ELF MBOOT PXE bzImage Menu PXEXT"))
        #expect(lines.contains("No bootable device."))
        #expect(!lines.joined().contains("\u{fffd}"))
    }

    @Test("a kernel panic is read from a Linux console on a framebuffer")
    func kernelPanic() throws {
        let lines = try #require(textOnScreen(try capture("linux-panic-800x600"))?.lines)
        #expect(lines.count == 37)
        #expect(
            lines.contains(
                "[    2.484067] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"))
        #expect(lines.contains("[    2.389632] tsc: Refined TSC clocksource calibration: 2596.104 MHz"))
        #expect(
            lines.contains(
                "[    2.484854] CPU: 0 UID: 0 PID: 1 Comm: swapper/0 Not tainted 6.12.107+deb13-amd64 #1  Debian 6.12"))
        #expect(lines.contains("[    2.492348]  <TASK>"))
        #expect(!lines.joined().contains("\u{fffd}"))
    }

    @Test("a panic in Debian's console font is read, and found to be one")
    func debianPanic() throws {
        let lines = try #require(textOnScreen(try capture("debian-panic-720x400"))?.lines)
        #expect(lines.contains("[   28.882976] Kernel panic - not syncing: Fatal exception in interrupt"))
        #expect(lines.contains("[   28.882976] RAX: 0000000000000002 RBX: ffff8ded054df5f0 RCX: 0000000000000000"))
        #expect(!lines.joined().contains("\u{fffd}"))
        #expect(trouble(on: lines) == .panicked("Fatal exception in interrupt"))
    }

    @Test(
        "a guest that waits for a person is told",
        arguments: [
            (["Booting from Hard Disk...", "No bootable device.", ""], "the firmware found nothing to boot from"),
            (["error: no such device: x.", "grub rescue> "], "the boot loader found no system (grub rescue)"),
            (["(initramfs) exit", "root@guest:~# "], nil),
        ])
    func stops(_ lines: [String], _ words: String?) {
        #expect(trouble(on: lines) == words.map { .stopped($0) })
    }

    /// Reads a picture of black and white, a binary portable bitmap with a width that is a multiple of eight.
    private func capture(_ name: String) throws -> Framebuffer {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "pbm", subdirectory: "Captures"))
        let parts = try Data(contentsOf: url).split(separator: 0x0a, maxSplits: 2, omittingEmptySubsequences: false)
        let size = String(decoding: try #require(parts.dropFirst().first), as: UTF8.self).split(separator: " ")
        let width = try #require(Int(size[0]))
        let height = try #require(Int(size[1]))
        let bytes = Array(try #require(parts.last))
        try #require(bytes.count == width * height / 8)
        var framebuffer = Framebuffer(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width where bytes[(y * width + x) / 8] << UInt8(x % 8) & 0x80 != 0 {
                framebuffer[x, y] = 0xaaaaaa
            }
        }
        return framebuffer
    }
}
