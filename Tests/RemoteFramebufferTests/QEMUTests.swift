import Foundation
import RemoteFramebuffer
import Scopes
import Testing

@Suite("QEMU's own VNC server")
struct QEMUTests {
    @Test("the BIOS is seen through a change of size, keys are taken, and a wrong password is refused")
    func bios() async throws {
        let path = "/tmp/ingot-qemu-vnc-\(UInt64.random(in: 0...UInt64.max))"
        let process = try spawn([
            "qemu-system-x86_64", "-machine", "pc,accel=tcg", "-m", "32", "-nodefaults", "-vga", "std", "-display",
            "none",
            "-object", "secret,id=password,data=secret12", "-vnc", "unix:\(path),password-secret=password",
        ])
        defer {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
            unlink(path)
        }
        let address = VNCAddress.unix(path)
        try await poll("waiting for QEMU", every: .milliseconds(50), limit: .seconds(30)) {
            access(path, F_OK) == 0 ? () : nil
        }
        await #expect(throws: (any Error).self) {
            _ = try await VNCConnection.connect(to: address, password: Sensitive("other"), deadline: .seconds(10))
        }
        let connection = try await VNCConnection.connect(
            to: address, password: Sensitive("secret12"), deadline: .seconds(10))
        defer { connection.close() }
        // Before the BIOS has set a mode the screen is of another size, and black.
        let picture = try await poll("waiting for the BIOS", every: .milliseconds(50), limit: .seconds(60)) {
            let picture = try await connection.framebuffer()
            return picture.width == 720 && picture.pixels.contains { $0 != 0 } ? picture : nil
        }
        #expect(picture.height == 400)
        #expect(Set(picture.pixels).isSubset(of: [0, 0xAAAAAA, 0xA8A8A8, 0xFFFFFF, 0x555555, 0xFCFCFC, 0x545454]))
        let typist = Typist(connection, pace: .interval(.milliseconds(1)))
        for character in "Hello".unicodeScalars {
            let stroke = KeyStroke(keysym: character.value, needsShift: character == "H")
            try await typist.type(stroke, .press)
        }
        #expect(try await connection.framebuffer().width == 720)
    }

    private func spawn(_ arguments: [String]) throws -> pid_t {
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        var process: pid_t = 0
        try #require(posix_spawnp(&process, arguments[0], nil, nil, words, environ) == 0)
        return process
    }
}
