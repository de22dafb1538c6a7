import Foundation
import Guests
import SSH
import Scopes
import Testing

@Suite("a guest that means harm", .serialized)
struct HostileGuestTests {
    @Test(
        "a name that leads out of the folder is refused over SCP",
        arguments: ["../evil", "/tmp/ingot-evil", "..", ""])
    func scpNames(_ name: String) async throws {
        try await refuse(record: "C0644 4 \(name)")
        try await refuse(record: "D0755 0 \(name)")
    }

    @Test("nonsense over SCP is refused", arguments: ["C0644 -1 x", "C0644", "E", "X", "C9 1 x"])
    func scpNonsense(_ record: String) async throws { try await refuse(record: record) }

    /// A `scp` of our own stands first in the guest's path.
    private func refuse(record: String) async throws {
        let server = try SSHServer(.openSSHWithoutSFTP, configuration: "SetEnv PATH=FOLDER/bin:/usr/bin:/bin")
        try makeFolder(server.folder + "/bin")
        try write(
            "#!/bin/sh\nprintf '%s\\n' '\(record)'\nprintf 'evil\\0'\nsleep 5\n", to: server.folder + "/bin/scp",
            mode: 0o755)
        let connection = try await server.connect()
        try makeFolder(server.folder + "/x")
        await #expect(throws: GuestError.self) {
            try await connection.downloadTree("/x", to: server.folder + "/x/local")
        }
        #expect(try FileManager.default.subpathsOfDirectory(atPath: server.folder + "/x") == ["local"])
    }

    @Test("a name that leads out of the folder is refused over SFTP", arguments: ["../evil", "/tmp/ingot-evil", "a/b"])
    func sftpNames(_ name: String) async throws {
        let server = try SSHServer(.openSSHWithoutSFTP, configuration: "Subsystem sftp /bin/sh FOLDER/sftp.sh")
        let folder = SFTPWriter.attributes(mode: 0o040755)
        let replies: [[UInt8]] = [
            [0, 0, 0, 5, 2, 0, 0, 0, 3],
            SFTPWriter.reply(105, 1) { $0.append(folder) },
            SFTPWriter.reply(105, 2) { $0.append(folder) },
            SFTPWriter.reply(102, 3) { $0.add("handle".utf8) },
            SFTPWriter.reply(104, 4) {
                $0.add(UInt32(1))
                $0.add(name.utf8)
                $0.add("".utf8)
                $0.append(SFTPWriter.attributes(mode: 0o100644))
            },
            SFTPWriter.reply(101, 5) { $0.add(UInt32(1)) },
        ]
        var script = "cd \(server.folder)\n"
        for (index, reply) in replies.enumerated() {
            try Data(reply).write(to: URL(filePath: server.folder + "/reply\(index)"))
            script += "dd bs=65536 count=1 of=/dev/null 2>/dev/null; cat reply\(index)\n"
        }
        try write(script + "sleep 5\n", to: server.folder + "/sftp.sh")
        let connection = try await server.connect(SSHOptions(transferMethod: .sftp))
        try makeFolder(server.folder + "/x")
        let error = await #expect(throws: GuestError.self) {
            try await connection.downloadTree("/x/", to: server.folder + "/x/local")
        }
        #expect(error?.description.contains("cannot be used") == true)
        #expect(try FileManager.default.subpathsOfDirectory(atPath: server.folder + "/x") == ["local"])
    }

    @Test("an answer cut short or with wild lengths is refused", arguments: [UInt8(101), 102, 103, 104, 105, 42])
    func malformed(_ type: UInt8) {
        for bytes: [UInt8] in [[], [0], [255, 255, 255, 255], [255, 255, 255, 255, 0, 0, 0], [0, 0, 0, 200, 1, 2]] {
            var reader = SFTPReader(bytes[...])
            let isWhole = type == 101 && bytes.count >= 4
            #expect((try? reader.reply(type: type)) == nil || isWhole)
        }
    }
}

extension SFTPWriter {
    fileprivate static func attributes(mode: UInt32) -> [UInt8] {
        var writer = SFTPWriter()
        writer.addMode(mode)
        return writer.bytes
    }

    fileprivate static func reply(_ type: UInt8, _ id: UInt32, _ build: (inout SFTPWriter) -> Void) -> [UInt8] {
        var body = SFTPWriter()
        body.add(type)
        body.add(id)
        build(&body)
        var packet = SFTPWriter()
        packet.add(body.bytes)
        return packet.bytes
    }

    /// Bytes that are written already.
    fileprivate mutating func append(_ bytes: [UInt8]) { for byte in bytes { add(byte) } }
}
