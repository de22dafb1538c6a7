import DiskImages
import Foundation
import Scopes
import Testing

private func withImages(_ script: String, _ body: (String) async throws -> Void) async throws {
    let folder = NSTemporaryDirectory() + "ingot-chain-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }  // What is left of a test's folder harms nobody.
    let shell = Process()
    shell.executableURL = URL(filePath: "/bin/sh")
    shell.arguments = ["-e", "-c", script]
    shell.currentDirectoryURL = URL(filePath: folder)
    try shell.run()
    shell.waitUntilExit()
    try #require(shell.terminationStatus == 0)
    try await body(folder)
}

private func message(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return ""
    } catch { return "\(error)" }
}

/// Marks `a.qcow2` as corrupt: bit 1 of the incompatible features.
private let corrupt = """
    qemu-img create -q -f qcow2 a.qcow2 1M
    printf '\\002' | dd of=a.qcow2 bs=1 seek=79 conv=notrunc status=none
    """

@Suite struct BackingChainTests {
    private let qemuImg = QemuImg()

    @Test(
        "images that back each other in a circle are refused at once, and the circle is named",
        arguments: [
            ("qemu-img create -q -f qcow2 a.qcow2 1M; qemu-img rebase -u -F qcow2 -b a.qcow2 a.qcow2", 1),
            (
                """
                qemu-img create -q -f qcow2 a.qcow2 1M; cp a.qcow2 b.qcow2
                qemu-img rebase -u -F qcow2 -b b.qcow2 a.qcow2; qemu-img rebase -u -F qcow2 -b a.qcow2 b.qcow2
                """, 2
            ),
            // Under another name each time.
            (
                "mkdir d; qemu-img create -q -f qcow2 a.qcow2 1M; ln -s .. d/up; qemu-img rebase -u -F qcow2 -b d/up/a.qcow2 a.qcow2",
                1
            ),
        ])
    func circle(script: String, length: Int) async throws {
        try await withImages(script) { folder in
            for work in [
                { _ = try await qemuImg.layers(of: folder + "/a.qcow2") },
                { try await qemuImg.convert(folder + "/a.qcow2", to: folder + "/x", format: "raw") { _ in } },
                {
                    try await qemuImg.create(
                        folder + "/o", format: "qcow2", size: nil, backing: (folder + "/a.qcow2", "qcow2"))
                },
            ] {
                let words = await message(work)
                #expect(words.contains("its backing files form a circle: \(folder)/a.qcow2 → "), "\(words)")
                #expect(words.split(separator: "→").count == length + 1)
                #expect(words.utf8.count < 1000)
            }
        }
    }

    @Test("a deep chain is read and copied; one without end is refused")
    func deepChain() async throws {
        let make = """
            qemu-img create -q -f qcow2 0 64k; qemu-io -f qcow2 -c 'write -P 7 0 512' 0 > /dev/null
            """
        // The header of every layer differs only in the name of its backing file.
        let layers =
            "i=1; while [ $i -le 120 ]; do qemu-img create -q -u -f qcow2 -F qcow2 -b $((i-1)) $i 64k; i=$((i+1)); done"
        try await withImages(make + "\n" + layers) { folder in
            #expect(try await qemuImg.layers(of: folder + "/120").map(\.path.count).count == 121)
            try await qemuImg.convert(folder + "/120", to: folder + "/flat", format: "raw") { _ in }
            #expect(try Data(contentsOf: URL(filePath: folder + "/flat")).prefix(2) == Data([7, 7]))
        }
    }

    @Test("an image that is marked as corrupt is refused wherever it is met, with the remedy")
    func corruptImage() async throws {
        try await withImages(corrupt + "\nqemu-img create -q -u -f qcow2 -F qcow2 -b a.qcow2 top.qcow2 1M") { folder in
            for image in ["a.qcow2", "top.qcow2"] {
                let path = "\(folder)/\(image)"
                let copied = await message {
                    try await qemuImg.convert(path, sourceFormat: "qcow2", to: folder + "/x", format: "raw") { _ in }
                }
                let opened = await message {
                    _ = try await OpenedDisk.open(path, format: .qcow2, temporaryIn: folder)
                }
                for words in [copied, opened] {
                    #expect(words.contains("\(folder)/a.qcow2 is marked as corrupt"), "\(words)")
                    #expect(words.contains("qemu-img check -r all \(folder)/a.qcow2"), "\(words)")
                }
            }
        }
    }

    @Test("a missing backing file is named, with the image that needs it")
    func missingBackingFile() async throws {
        try await withImages("qemu-img create -q -u -f qcow2 -F qcow2 -b gone.qcow2 a.qcow2 1M") { folder in
            let words = await message { _ = try await qemuImg.layers(of: folder + "/a.qcow2") }
            #expect(words.contains("the backing file \(folder)/gone.qcow2 of \(folder)/a.qcow2 is missing"), "\(words)")
        }
    }
}
