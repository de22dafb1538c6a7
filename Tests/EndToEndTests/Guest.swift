import Foundation
import Testing

/// The small guest, made once for all tests.
enum Guest {
    static let iso = Result { try make("iso") }

    /// A disk for UEFI.
    static let disk = Result { try make("img") }

    private static func make(_ ending: String) throws -> String {
        let path = NSTemporaryDirectory() + "ingot-guest-\(ProcessInfo.processInfo.processIdentifier).\(ending)"
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "guest/make-guest").path
        let process = Process()
        process.executableURL = URL(filePath: script)
        process.arguments = [path]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
        return path
    }

    /// A template that boots the guest.
    ///
    /// - Parameters:
    ///   - parameters: Typed behind "linux" at the prompt.
    ///   - source: Further lines of the source block; these win over the usual ones of the same name.
    ///   - build: What stands in the build block after `sources`.
    static func template(parameters: String = "", source: String = "", build: String = "") throws -> String {
        let usual = [
            ("iso_url", "\"\(try iso.get())\""), ("iso_checksum", "\"none\""), ("disk_size", "\"64M\""),
            ("memory", "256"), ("headless", "true"), ("accelerator", "\"tcg\""), ("boot_wait", "\"1s\""),
            ("boot_command", "[\"linux \(parameters)<enter>\"]"), ("ssh_username", "\"root\""),
            ("ssh_password", "\"packer\""), ("ssh_timeout", "\"4m\""), ("shutdown_command", "\"poweroff\""),
            ("temporary_key_pair_type", "\"ed25519\""),
        ]
        let given = Set(source.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) })
        let lines = usual.filter { !given.contains($0.0) }.map { "  \($0.0) = \($0.1)" }
        return """
            source "qemu" "guest" {
            \(lines.joined(separator: "\n"))
            \(source)
            }
            build {
              sources = ["source.qemu.guest"]
            \(build)
            }
            """
    }
}

/// A shell provisioner of one line.
func shell(_ line: String, _ options: String = "") -> String {
    """
      provisioner "shell" {
        inline = [\(quoted(line))]
        \(options)
      }

    """
}

/// Text as an HCL string.
func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}
