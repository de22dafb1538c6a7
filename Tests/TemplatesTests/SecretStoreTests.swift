import Diagnostics
import HCL
import Scopes
import Templates
import Testing

@testable import ComponentModel

/// Knows one secret.
private struct Stores: SecretStores {
    struct Missing: Error, CustomStringConvertible {
        var description: String { "nothing is kept under that name" }
    }

    func secret(_ query: SecretQuery) throws -> String {
        guard query == .vault(path: "kv/app", key: "password") else { throw Missing() }
        return "s3cr3t"
    }
}

@Suite("Secrets from services") struct SecretStoreTests {
    private static func template(_ script: String) -> String {
        """
        source "qemu" "x" {
          iso_url      = "a.iso"
          iso_checksum = "none"
          ssh_username = "root"
          ssh_password = vault("kv/app", "password")
        }
        build {
          sources = ["source.qemu.x"]
          provisioner "shell" {
            inline = ["\(script)"]
          }
        }
        """
    }

    @Test("what vault gives in the middle of an option is used, and blanked out")
    func inline() throws {
        let loaded = Loaded(Self.template("echo ${vault(\"kv/app\", \"password\")}")) { $0.secretStores = Stores() }
        #expect(loaded.errors.map(\.summary) == [])
        guard case .ssh(let settings)? = loaded.plan.builds.first?.source.communicator else {
            Issue.record("no SSH")
            return
        }
        #expect(settings.password?.reveal() == "s3cr3t")
        #expect(loaded.plan.secrets.contains { $0.reveal() == "s3cr3t" })
    }

    @Test("what is not kept there, and no services at all, are errors with the reason")
    func missing() {
        let text = Self.template("echo ${vault(\"kv/app\", \"user\")}")
        let refused = Loaded(text) { $0.secretStores = Stores() }
        #expect(refused.errors.contains { $0.detail.contains("nothing is kept under that name") })
        #expect(Loaded(text).errors.contains { $0.detail.contains("give the value with -var") })
    }

    @Test("the variables of a JSON template may ask, and what they get is blanked out")
    func legacy() throws {
        let text = """
            {
              "variables": {"password": "{{ vault `kv/app` `password` }}"},
              "builders": [{
                "type": "qemu", "iso_url": "a.iso", "iso_checksum": "none", "ssh_username": "root",
                "ssh_password": "{{ user `password` }}"
              }]
            }
            """
        let loaded = Loaded("", files: ["t.json": text], path: "t.json") { $0.secretStores = Stores() }
        #expect(loaded.errors.map(\.summary) == [])
        guard case .ssh(let settings)? = loaded.plan.builds.first?.source.communicator else {
            Issue.record("no SSH")
            return
        }
        #expect(settings.password?.reveal() == "s3cr3t")
        #expect(loaded.plan.secrets.contains { $0.reveal() == "s3cr3t" })
    }
}
