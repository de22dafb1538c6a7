import Foundation
import Testing

@Suite("a machine with firmware and a TPM of its own is kept whole", .serialized)
struct CheckpointFirmwareTests {
    @Test("UEFI variables and the TPM's state are as they were; an image with a backing file has only what differs")
    func firmware() async throws {
        let bench = try CheckpointBench(ownStore: "store")
        let base = try await command(
            "qemu-img", ["convert", "-O", "qcow2", try Guest.disk.get(), bench.path + "/base.qcow2"])
        #expect(base.status == 0, "\(base.output)")
        let variables = "/sys/firmware/efi/efivars"
        let guid = "6f1d3a52-6c1b-4a5e-9d3c-1a2b3c4d5e6f"
        let prepare = [
            "mount -t efivarfs efivarfs \(variables)",
            "printf '\\007\\000\\000\\000before' >\(variables)/Ingot-\(guid)",
            "tpm() { exec 3<>/dev/tpm0; printf \"$1\" >&3; head -c 512 <&3 | hexdump -v -e '1/1 \"%02x\"'; exec 3>&-; }",
            "echo extended $(tpm '\(Self.extend)')", "echo defined $(tpm '\(Self.define)')", "sync",
            "echo register $(cat /sys/class/tpm/tpm0/pcr-sha256/16)",
            "printf layered | dd of=/dev/vda bs=512 seek=200000 conv=notrunc 2>/dev/null", "sync",
        ]
        let look = [
            "mount -t efivarfs efivarfs \(variables) 2>/dev/null || true", "tail -c 6 \(variables)/Ingot-\(guid); echo",
            "echo register $(cat /sys/class/tpm/tpm0/pcr-sha256/16)",
            "tpm() { exec 3<>/dev/tpm0; printf \"$1\" >&3; head -c 512 <&3 | hexdump -v -e '1/1 \"%02x\"'; exec 3>&-; }",
            "echo index $(tpm '\(Self.readPublic)')",
        ]
        func write(_ word: String, emulator note: String = "") throws {
            let emulator = "#!/bin/sh\n\(note)\nexec /usr/bin/qemu-system-x86_64 \"$@\"\n"
            try bench.bench.write(emulator, to: "emulator")
            chmod(bench.path + "/emulator", 0o755)
            try bench.write(
                source: """
                      qemu_binary = "\(bench.path)/emulator"
                      iso_url = "base.qcow2"
                      disk_image = true
                      use_backing_file = true
                      disk_size = "100M"
                      boot_command = []
                      memory = 512
                      machine_type = "q35"
                      efi_boot = true
                      vtpm = true
                    """, shell((prepare + [": \(bench.id)"]).joined(separator: "; ")),
                shell(
                    ([": \(word)"] + look + ["printf \(word) | dd of=/dev/vdb conv=sync 2>/dev/null"]).joined(
                        separator: "; ")))
        }
        try write("one")
        let first = try await bench.build()
        for text in ["extended 80020000001300000000", "defined 80020000001300000000", "before\n"] {
            #expect(first.output.contains(text), "no \(text) in\n\(first.output)")
        }
        let registers = first.output.matches(of: /register ([0-9A-F]{64})/).map { String($0.1) }
        try #require(registers.count == 2)
        #expect(Set(registers).count == 1 && registers[0].contains { $0 != "0" })

        try write("two")
        let second = try await bench.build()
        #expect(second.output.contains("From a checkpoint: install, provisioner 1: shell ("))
        #expect(second.output.contains("before\n"), "\(second.output)")
        #expect(second.output.contains("register \(registers[0])"), "\(second.output)")
        // The index that was defined, with its size of 8 bytes at the end of the public area.
        let index = /index 8001[0-9a-f]{8}00000000.*01500016000b/
        #expect(second.output.contains(index), "\(second.output)")
        let files = try FileManager.default.contentsOfDirectory(atPath: bench.path + "/output-guest")
        let stored = try #require(FileManager.default.contents(atPath: bench.path + "/output-guest/efivars.fd"))
        let name = Data("Ingot".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        #expect(stored.range(of: name) != nil && stored.range(of: Data("before".utf8)) != nil, "\(files)")
        let info = try await command("qemu-img", ["info", bench.path + "/" + bench.image])
        #expect(info.output.contains("backing file: \(bench.path)/base.qcow2"), "\(info.output)")
        #expect(try await ImageContent(bench.path + "/\(bench.image)-1")[0] == "two")
        #expect(try await ImageContent(bench.path + "/\(bench.image)")[200_000] == "layered")

        // Its memory is of no use to another emulator; all that a machine without power keeps is.
        try write("three", emulator: "# A new version.")
        let third = try await bench.build()
        #expect(
            third.output.contains(
                "Booting the disks of the checkpoint instead of restoring its memory: emulator size was "))
        #expect(third.output.contains("before\n") && third.output.contains(index), "\(third.output)")
        #expect(third.output.contains("register \(String(repeating: "0", count: 64))"), "\(third.output)")
        #expect(try await ImageContent(bench.path + "/\(bench.image)-1")[0] == "three")
        try await bench.expectClean()
    }

    /// Commands of the TPM 2.0 Library Specification, part 3, as `printf` takes them: PCR_Extend of register 16.
    private static let extend = bytes(
        "8002 00000041 00000182 00000010 00000009 40000009 0000 00 0000 00000001 000b"
            + String(repeating: "5a", count: 32))
    /// NV_DefineSpace of 8 bytes at 0x01500016, for the owner to read and write.
    private static let define = bytes(
        "8002 0000002d 0000012a 40000001 00000009 40000009 0000 00 0000 0000 000e 01500016 000b 02020002 0000 0008")
    /// NV_ReadPublic of the same.
    private static let readPublic = bytes("8001 0000000e 00000169 01500016")

    private static func bytes(_ hexadecimal: String) -> String {
        let digits = hexadecimal.replacing(" ", with: "")
        return stride(from: 0, to: digits.count, by: 2).map { "\\x" + digits.dropFirst($0).prefix(2) }.joined()
    }
}
