import Libvirt
import Testing

@Suite("What stands after -cpu")
struct CPUModelTests {
    @Test(
        "models and plain features are libvirt's words too",
        arguments: [
            ("Nehalem", "Nehalem"), ("host,-vmx,+aes", "host -vmx +aes"), ("qemu64,cx16=off,nx=on", "qemu64 -cx16 +nx"),
            ("Skylake-Client-v1,+spec-ctrl", "Skylake-Client-v1 +spec-ctrl"),
        ])
    func mapped(text: String, expected: String) throws {
        let model = try #require(CPUModel(text))
        let features = model.features.map { " " + ($0.isOn ? "+" : "-") + $0.name }
        #expect(model.name + features.joined() == expected)
    }

    @Test(
        "what only QEMU knows, or libvirt spells otherwise, is left to QEMU whole",
        arguments: [
            "host,hv_relaxed", "host,hv-time=on", "host,hv_spinlocks=0x1fff", "max,migratable=no", "host,kvm=off",
            "qemu64,+sse4_1", "qemu64,+sse4.2", "host,vendor=GenuineIntel", "host,l3-cache=on", "", ",+aes", "host,",
            "host,+", "=on", "host,+a=b",
        ])
    func left(text: String) {
        #expect(CPUModel(text) == nil)
    }
}
