import Foundation
import GuestFiles
import Testing

@Suite("Package lists")
struct BillOfMaterialsTests {
    static let dpkgStatus = """
        Package: bash
        Status: install ok installed
        Maintainer: Matthias Klose <doko@debian.org>
        Architecture: amd64
        Source: bash-src (1.2)
        Version: 5.2.15-2+b7
        Description: GNU Bourne Again SHell
         Status: install ok config-files

        Package: gone
        Status: deinstall ok config-files
        Architecture: amd64
        Version: 1

        Package: openssh-server
        Status: hold ok installed
        Architecture: amd64
        Version: 1:9.2p1-2+deb12u3
        Homepage: https://www.openssh.com/

        """
    private let debian = GuestSystem(
        kind: "linux", distribution: "debian", name: "Debian GNU/Linux 13 (trixie)", version: "13",
        architecture: "x86_64", packageFormat: "deb", packageManagement: "apt")

    @Test("dpkg's installed packages are read with epoch and architecture, removed ones are not")
    func dpkg() {
        let packages = InstalledPackage.readDpkgStatus(Self.dpkgStatus.utf8)
        #expect(packages.map(\.name) == ["bash", "openssh-server"])
        #expect(packages.map(\.version) == ["5.2.15-2+b7", "1:9.2p1-2+deb12u3"])
        #expect(packages.first?.source == "bash-src")
        #expect(InstalledPackage.readDpkgStatus("nonsense\n\n:\n\n".utf8).isEmpty)
    }

    @Test("apk's database is read")
    func apk() {
        let text =
            "C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld.so\na:0:0:755\n\nP:zlib\nV:1.3-r2\n\n"
        let packages = InstalledPackage.readApkDatabase(text.utf8)
        #expect(
            packages.map { "\($0.name) \($0.version) \($0.architecture)" } == ["musl 1.2.5-r0 x86_64", "zlib 1.3-r2 "])
        #expect(packages.first?.license == "MIT")
    }

    @Test("purls follow each type's rules")
    func purl() {
        let server = InstalledPackage(name: "openssh-server", version: "1:9.2p1-2+deb12u3", architecture: "amd64")
        #expect(
            packageURL(server, of: debian)
                == "pkg:deb/debian/openssh-server@1:9.2p1-2%2Bdeb12u3?arch=amd64&distro=debian-13")
        let fedora = GuestSystem(kind: "linux", distribution: "fedora", version: "40", packageFormat: "rpm")
        let perl = InstalledPackage(name: "perl-Errno", version: "4:1.37-506.fc40", architecture: "x86_64")
        #expect(
            packageURL(perl, of: fedora)
                == "pkg:rpm/fedora/perl-Errno@1.37-506.fc40?arch=x86_64&distro=fedora-40&epoch=4")
        let arch = GuestSystem(kind: "linux", distribution: "archlinux", packageFormat: "pacman")
        #expect(
            packageURL(InstalledPackage(name: "pacman", version: "6.1.0-3", architecture: "x86_64"), of: arch)
                == "pkg:alpm/arch/pacman@6.1.0-3?arch=x86_64")
    }

    private func bill(_ packages: [InstalledPackage]) throws -> BillOfMaterials {
        BillOfMaterials(
            name: "golden image", system: debian, packages: packages, created: Date(timeIntervalSince1970: 0),
            identifier: try #require(UUID(uuidString: "6E8BC430-9C3A-11D9-9669-0800200C9A66")), toolVersion: "1.0")
    }

    @Test("SPDX names every package once and ties it to the system")
    func spdx() throws {
        let packages = InstalledPackage.readDpkgStatus(Self.dpkgStatus.utf8)
        let data = try bill(packages).render(.spdx)
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(document["spdxVersion"] as? String == "SPDX-2.3")
        let listed = try #require(document["packages"] as? [[String: Any]])
        #expect(listed.count == 3)
        #expect(Set(listed.compactMap { $0["SPDXID"] as? String }).count == 3)
        #expect(listed[1]["supplier"] as? String == "Organization: Matthias Klose (doko@debian.org)")
        let relationships = try #require(document["relationships"] as? [[String: String]])
        #expect(relationships.map { $0["relationshipType"] } == ["DESCRIBES", "CONTAINS", "CONTAINS"])
        #expect((document["creationInfo"] as? [String: Any])?["created"] as? String == "1970-01-01T00:00:00Z")
        #expect(try bill(packages.reversed()).render(.spdx) == data)
    }

    @Test("CycloneDX's references are unique even where a database names a package twice")
    func cycloneDX() throws {
        let twice = InstalledPackage(name: "a", version: "1", architecture: "amd64")
        let data = try bill([twice, twice]).render(.cycloneDX)
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let components = try #require(document["components"] as? [[String: Any]])
        #expect(components.count == 3)
        #expect(Set(components.compactMap { $0["bom-ref"] as? String }).count == 3)
        #expect(document["serialNumber"] as? String == "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66")
    }
}
