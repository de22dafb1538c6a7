import Foundation
import Libvirt
import Testing

@Suite("a memory image's header")
struct MemoryImageTests {
    private let xml = "<domain><name>x</name></domain>"

    private func withImage<Value>(_ data: Data, _ body: (String) throws -> Value) throws -> Value {
        let path = NSTemporaryDirectory() + "ingot-\(UUID().uuidString)"
        try data.write(to: URL(filePath: path))
        defer { unlink(path) }
        return try body(path)
    }

    private var whole: Data { get throws { try MemoryImage.header(xml: xml) + Data("QEVM\0\0\0\u{3}".utf8) } }

    @Test("what is written is read again, with and without room", arguments: [0, 100, 5000])
    func circle(length: Int) throws {
        let header = try MemoryImage.header(xml: xml, length: length)
        #expect(header.count == max(length, 92 + xml.utf8.count + 1))
        try withImage(header + Data("QEVM".utf8)) { path in
            let image = try MemoryImage(of: path)
            #expect(image.xml == xml)
            #expect(image.streamOffset == UInt64(header.count))
        }
    }

    @Test("a file that is cut short anywhere is refused")
    func cut() throws {
        let whole = try whole
        for count in 0..<whole.count - 4 {
            try withImage(whole.prefix(count)) { path in
                _ = #expect(throws: LibvirtError.self) { try MemoryImage(of: path) }
            }
        }
    }

    @Test(
        "a damaged header is refused in words",
        arguments: [
            (0, UInt32(0), "first bytes"), (12, 0x7472_6150, "not written to its end"), (16, 7, "version is 7"),
            (20, 0, "damaged"), (20, .max, "damaged"), (20, 3_000_000, "ends within"), (20, 8, "no XML"),
            (28, 1, "compressed"), (32, .max, "damaged"), (92, 0, "no XML"), (93, 0xFFFF_FFFF, "no XML"),
            (124, 0, "does not begin"),
        ])
    func damaged(offset: Int, value: UInt32, words: String) throws {
        var data = try whole
        withUnsafeBytes(of: value) { data.replaceSubrange(offset..<offset + 4, with: $0) }
        try withImage(data) { path in
            let error = #expect(throws: LibvirtError.self) { try MemoryImage(of: path) }
            #expect(error?.message.contains(words) == true, "\(String(describing: error))")
            #expect(error?.call.contains(path) == true)
        }
    }

    @Test("bytes at random are refused or read, and never trap")
    func random() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var data = try whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                data[Int.random(in: 0..<data.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            try withImage(data) { path in _ = try? MemoryImage(of: path) }  // Both are right.
        }
    }

    @Test("drives are found in libvirt's XML, whatever their paths, and not the layers below")
    func drives() {
        let xml = """
            <devices>
              <disk type='file' device='disk'>
                <driver name='qemu' type='qcow2' cache='unsafe'/>
                <source file='/it&apos;s &lt;a&gt; &amp;amp;' index='3'/>
                <backingStore type='file' index='1'>
                  <source file='/below'/>
                </backingStore>
                <target dev='vda' bus='virtio'/>
              </disk>
              <disk type='file' device='cdrom'>
                <target dev='hda' bus='ide'/>
              </disk>
            </devices>
            """
        #expect(
            Drive.all(in: xml) == [
                Drive(target: "vda", source: "/it's <a> &amp;", format: "qcow2"), Drive(target: "hda"),
            ])
    }

    @Test("a processor is told by its model and the set of its flags")
    func processor() {
        let text = "processor\t: 0\nmodel name\t: Fast CPU\nflags\t\t: a b\n\nprocessor\t: 1\nmodel name\t: Slow\n"
        let properties = HostCPU.properties(in: text)
        #expect(properties["cpu"] == "Fast CPU")
        #expect(properties == HostCPU.properties(in: text.replacing("a b", with: "b a")))
        #expect(properties != HostCPU.properties(in: text.replacing("a b", with: "a")))
        #expect(HostCPU.properties(in: "")["cpu"] == "")
    }

    @Test("memory of another processor is refused by the names of the flags that came or went")
    func processorDifference() {
        func requirements(_ flags: String) -> [String: String] {
            HostCPU.properties(in: "model name\t: CPU\nflags\t\t: \(flags)\n").merging(["qemu": "7.2.1"]) { $1 }
        }
        let kept = requirements("aes hle rtm")
        #expect(memoryDifference(from: kept, to: requirements("rtm hle aes")) == nil)
        #expect(
            memoryDifference(from: kept, to: requirements("aes avx2 vaes"))
                == "the host's processor no longer has hle, rtm, and now has avx2, vaes")
        #expect(
            memoryDifference(from: kept, to: requirements("aes hle rtm sha_ni"))
                == "the host's processor now has sha_ni")
        #expect(
            memoryDifference(from: ["qemu": "7.2.1"], to: ["qemu": "8.0.0"]) == "qemu was 7.2.1, and is 8.0.0 now")
    }
}
