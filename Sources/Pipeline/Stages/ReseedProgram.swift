/// A program for Linux on x86-64 that has the kernel draw new random numbers, for guests without a language that could
/// ask for it: 179 bytes instead of Perl.
enum ReseedProgram {
    /// The file, as the shell's `printf` takes it.
    static var forPrintf: String {
        bytes.map { byte in
            let digits = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }.joined()
    }

    private static let address: UInt64 = 0x40_0000
    private static let headers = 64 + 56

    /// One loadable segment, the headers included (elf(5)).
    private static var bytes: [UInt8] {
        let size = UInt64(headers + code.count)
        let identification: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let file: [UInt8] =
            number(2, 2) + number(62, 2) + number(1, 4) + number(address + UInt64(headers), 8) + number(64, 8)
            + number(0, 8) + number(0, 4) + number(64, 2) + number(56, 2) + number(1, 2) + number(0, 6)
        let segment: [UInt8] =
            number(1, 4) + number(5, 4) + number(0, 8) + number(address, 8) + number(address, 8) + number(size, 8)
            + number(size, 8) + number(4096, 8)
        return identification + file + segment + code
    }

    /// exit(ioctl(open("/dev/urandom", O_WRONLY), RNDRESEEDCRNG, 0))
    private static let code: [UInt8] =
        [
            0xB8, 2, 0, 0, 0,  // mov eax, 2 (open)
            0x48, 0x8D, 0x3D, 0x22, 0, 0, 0,  // lea rdi, [the path]
            0xBE, 1, 0, 0, 0,  // mov esi, O_WRONLY
            0x31, 0xD2,  // xor edx, edx
            0x0F, 0x05,  // syscall
            0x89, 0xC7,  // mov edi, eax
            0xB8, 16, 0, 0, 0,  // mov eax, 16 (ioctl)
            0xBE, 0x07, 0x52, 0, 0,  // mov esi, 0x5207
            0x31, 0xD2,  // xor edx, edx
            0x0F, 0x05,  // syscall
            0x89, 0xC7,  // mov edi, eax
            0xB8, 60, 0, 0, 0,  // mov eax, 60 (exit)
            0x0F, 0x05,  // syscall
        ] + Array("/dev/urandom\0".utf8)

    private static func number(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
}
