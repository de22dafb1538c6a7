/// A package that the guest's package manager lists as installed.
package struct InstalledPackage: Codable, Sendable, Hashable {
    /// The name in the package manager.
    package var name: String
    /// As the package manager prints it, epoch and release included: `1:9.2p1-2`, `5.2.15-3.fc40`.
    package var version: String
    /// `amd64`, `x86_64`, `noarch` …
    package var architecture: String
    /// The source package that it was built from, if known.
    package var source: String?
    /// As in "Jo Doe <jo@example.org>".
    package var maintainer: String?
    /// A description in one line.
    package var summary: String?
    /// A URL.
    package var homepage: String?
    /// The license in the package's own words, which may be an SPDX expression.
    package var license: String?

    package init(
        name: String, version: String, architecture: String, source: String? = nil, maintainer: String? = nil,
        summary: String? = nil, homepage: String? = nil, license: String? = nil
    ) {
        self.name = name
        self.version = version
        self.architecture = architecture
        self.source = source
        self.maintainer = maintainer
        self.summary = summary
        self.homepage = homepage
        self.license = license
    }
}

extension InstalledPackage {
    /// Parses dpkg's status file: the packages that `dpkg -l` shows as installed.
    package static func readDpkgStatus(_ bytes: some Sequence<UInt8>) -> [InstalledPackage] {
        String(decoding: Array(bytes), as: UTF8.self).replacing("\r\n", with: "\n").split(separator: "\n\n")
            .compactMap { paragraph in
                let fields = fields(paragraph)
                let status = (fields["status"] ?? "").split(separator: " ")
                // The third word is the state; half-configured packages have their files in place, and dpkg counts them.
                guard let state = status.last, state != "not-installed", state != "config-files",
                    let name = fields["package"], let version = fields["version"]
                else { return nil }
                let source = fields["source"].map { String($0.prefix { $0 != " " }) }
                return InstalledPackage(
                    name: name, version: version, architecture: fields["architecture"] ?? "", source: source ?? name,
                    maintainer: fields["maintainer"], summary: fields["description"], homepage: fields["homepage"])
            }
    }

    /// The first lines of a Debian control paragraph's fields, by their names in lower case.
    private static func fields(_ paragraph: Substring) -> [String: String] {
        var fields: [String: String] = [:]
        for line in paragraph.split(separator: "\n") {
            guard let first = line.first, first != " ", first != "\t", let colon = line.firstIndex(of: ":") else {
                continue
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields[line[..<colon].lowercased()] = String(value)
        }
        return fields
    }

    /// Parses apk's database, /lib/apk/db/installed.
    package static func readApkDatabase(_ bytes: some Sequence<UInt8>) -> [InstalledPackage] {
        String(decoding: Array(bytes), as: UTF8.self).split(separator: "\n\n").compactMap { paragraph in
            var fields: [Character: String] = [:]
            for line in paragraph.split(separator: "\n") where line.dropFirst().first == ":" {
                guard let letter = line.first, fields[letter] == nil else { continue }
                fields[letter] = String(line.dropFirst(2))
            }
            guard let name = fields["P"], let version = fields["V"] else { return nil }
            return InstalledPackage(
                name: name, version: version, architecture: fields["A"] ?? "", source: fields["o"],
                maintainer: fields["m"], summary: fields["T"], homepage: fields["U"], license: fields["L"])
        }
    }
}
