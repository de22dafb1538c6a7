import Diagnostics

/// Turns the block `finish` of a source into settings, and says all that is wrong with it.
struct FinishDecoder {
    private var reader: OptionReader
    private let context: ComponentContext

    static func decode(_ reader: inout OptionReader, _ context: ComponentContext) -> FinishSettings {
        var decoder = FinishDecoder(reader: reader, context: context)
        defer { reader = decoder.reader }
        return decoder.settings()
    }

    private init(reader: OptionReader, context: ComponentContext) {
        self.reader = reader
        self.context = context
    }

    private mutating func settings() -> FinishSettings {
        FinishSettings(
            generalises: flag("generalise"), keptParts: keptParts(), removedPaths: removedPaths(),
            shrinks: flag("shrink"), zeroesFreeSpace: flag("zero_free_space"), clearsSwap: flag("clear_swap"),
            resizesToMinimum: resizes(), inspects: flag("inspect"), bills: bills(),
            check: reader.choice("check").flatMap(FinishSettings.Check.init) ?? .warn, permittedKeys: permittedKeys(),
            hostName: hostName(),
            files: files(), fileContent: fileContent(), firstBootScripts: scripts(),
            authorizedKeys: authorizedKeys(), cloudInitDatasources: datasources(), timeout: timeout())
    }

    /// An option that is on unless it is switched off.
    private func flag(_ name: String) -> Bool { reader.isGiven(name) ? reader.bool(name) : true }

    private mutating func resizes() -> Bool {
        let wanted = reader.bool("resize_to_minimum")
        if wanted, !flag("shrink") {
            reader.error(
                "exclusive-options", "resize_to_minimum is a part of shrink, which is off", "Remove shrink = false.",
                at: "resize_to_minimum")
        }
        return wanted
    }

    /// The elements of a list that its table has; errors about the others.
    private mutating func choices(_ name: String) -> [String] {
        let texts = reader.strings(name)
        reader.checkChoices(name, texts) { "“\($0)” is not a value of \(name)" }
        return texts
    }

    private mutating func keptParts() -> Set<FinishSettings.Part> {
        if reader.isGiven("keep"), reader.isGiven("generalise"), !reader.bool("generalise") {
            reader.warning(
                "no-effect", "keep has no effect with generalise = false", "All of it is kept.", at: "keep")
        }
        return Set(
            choices("keep").compactMap(FinishSettings.Part.init))
    }

    private mutating func bills() -> [FinishSettings.BillFormat] {
        guard reader.isGiven("sbom") else { return flag("inspect") ? FinishSettings.BillFormat.allCases : [] }
        var seen: Set<String> = []
        return choices("sbom")
            .filter { seen.insert($0).inserted }.compactMap(FinishSettings.BillFormat.init)
    }

    private mutating func timeout() -> Duration {
        guard let limit = reader.duration("timeout") else { return .seconds(3600) }
        guard limit > .zero else {
            reader.error("invalid-value", "timeout must be longer than nothing", "", at: "timeout")
            return .seconds(3600)
        }
        return limit
    }

    // MARK: Paths

    /// Folders without which there is no system.
    private static let systemFolders: Set<String> = [
        "bin", "boot", "dev", "etc", "home", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "usr", "var",
    ]

    private mutating func removedPaths() -> [String] {
        let paths = reader.strings("remove")
        for (index, path) in paths.enumerated() where isGuestPath(path, "remove", element: index) {
            let parts = path.split(separator: "/")
            let first = parts.first.map(String.init) ?? ""
            guard
                first.contains(where: { "*?[".contains($0) }) || parts.count == 1 && Self.systemFolders.contains(first)
            else { continue }
            reader.error(
                "invalid-guest-path", "“\(path)” would remove the system itself", "Name what in it is to go.",
                at: "remove", element: index)
        }
        return paths
    }

    /// Whether it is an absolute path that names something; an error otherwise.
    private mutating func isGuestPath(_ path: String, _ name: String, element: Int? = nil) -> Bool {
        if context.isOpen(path) { return false }
        let parts = path.split(separator: "/")
        if path.hasPrefix("/"), !parts.isEmpty, !path.hasSuffix("/"), !parts.contains(".."), !parts.contains(".") {
            return true
        }
        let hint =
            path.hasPrefix("/")
            ? "It must name something below the root, without “.” and “..” and no slash at its end."
            : "Paths in the guest begin with a slash: \"/\(path)\"."
        reader.error(
            "invalid-guest-path", "“\(path)”, given by \(name), is not a path in the guest", hint, at: name,
            element: element)
        return false
    }

    private mutating func files() -> [String: String] {
        let files = reader.map("files")
        for (path, file) in files.sorted(by: { $0.key < $1.key }) {
            _ = isGuestPath(path, "files")
            if file.isEmpty {
                reader.error(
                    "missing-file", "files has no file for “\(path)”",
                    "Write { \"\(path)\" = \"FILE\" }; text goes into file_content.", at: "files")
            }
            reader.requireFile(file, "files", context)
        }
        return files
    }

    private mutating func fileContent() -> [String: String] {
        let content = reader.map("file_content")
        let files = reader.map("files")
        for path in content.keys.sorted() {
            guard isGuestPath(path, "file_content"), files[path] != nil else { continue }
            reader.error(
                "exclusive-options", "“\(path)” is given in files and in file_content", "Remove it from one of them.",
                at: "file_content")
        }
        return content
    }

    private mutating func scripts() -> [String] {
        let paths = reader.strings("first_boot_scripts")
        for (index, path) in paths.enumerated() {
            reader.requireFile(path, "first_boot_scripts", context, element: index)
            // What cannot be read is reported by `requireFile`; what is longer than this is not a script.
            guard !context.isOpen(path), context.files.kind(of: context.absolute(path)) == .file,
                let bytes = try? context.files.read(context.absolute(path), limit: 1 << 20),
                !bytes.starts(with: Array("#!".utf8))
            else { continue }
            reader.error(
                "no-interpreter", "“\(path)” does not say what runs it",
                "Its first line must be like #!/bin/sh, since the guest runs it by itself.", at: "first_boot_scripts",
                element: index)
        }
        return paths
    }

    // MARK: Who and what

    private mutating func hostName() -> FinishSettings.HostName {
        if reader.bool("clear_hostname") {
            if reader.isGiven("hostname") { reader.exclude("hostname", "clear_hostname") }
            return .clear
        }
        guard let name = reader.text("hostname") else { return .keep }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let isName =
            name.utf8.count <= 64
            && parts.allSatisfy { part in
                (1...63).contains(part.utf8.count) && part.first != "-" && part.last != "-"
                    && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            }
        if !isName, !context.isOpen(name) {
            reader.error(
                "invalid-value", "“\(name)” is not a host name",
                "It is made of letters, digits and hyphens, in parts of at most 63 with dots between.", at: "hostname")
        }
        return .set(name)
    }

    private mutating func permittedKeys() -> [String] {
        let keys = reader.strings("permitted_keys").map { $0.split(whereSeparator: \.isNewline).map(String.init) }
        for (index, lines) in keys.enumerated() {
            for line in lines { requirePublicKey(line, "permitted_keys", element: index) }
        }
        return keys.flatMap { $0 }
    }

    private mutating func authorizedKeys() -> [(user: String, key: String)] {
        var keys: [(user: String, key: String)] = []
        for (user, text) in reader.map("authorized_keys").sorted(by: { $0.key < $1.key }) {
            let lines = text.split(whereSeparator: \.isNewline).map(String.init)
                .filter { line in !line.allSatisfy(\.isWhitespace) && !line.hasPrefix("#") }
            if lines.isEmpty {
                reader.error(
                    "no-public-key", "authorized_keys has no key for “\(user)”",
                    "Write the line of a .pub file, such as file(\"id_ed25519.pub\").", at: "authorized_keys")
            }
            for line in lines {
                requirePublicKey(line, "authorized_keys")
                keys.append((user, line))
            }
        }
        return keys
    }

    private mutating func requirePublicKey(_ line: String, _ name: String, element: Int? = nil) {
        guard !context.isOpen(line) else { return }
        let words = line.split { $0 == " " || $0 == "\t" }
        let isKey = zip(words, words.dropFirst()).contains { kind, blob in
            ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].contains(where: kind.hasPrefix) && blob.hasPrefix("AAAA")
        }
        if isKey { return }
        reader.error(
            "no-public-key", "A key of \(name) is not a public key",
            line.contains("PRIVATE KEY")
                ? "It is the private half, which must never be in an image; give the .pub file's line."
                : "Give the line of a .pub file, such as \"ssh-ed25519 AAAA… name\".", at: name, element: element)
    }

    /// Of cloud-init 25.
    private static let knownDatasources = [
        "AliYun", "AltCloud", "Akamai", "Azure", "Bigstep", "CloudCIX", "CloudSigma", "CloudStack", "ConfigDrive",
        "DigitalOcean", "Ec2", "Exoscale", "GCE", "Hetzner", "IBMCloud", "LXD", "MAAS", "NWCS", "NoCloud", "None",
        "OVF", "OpenNebula", "OpenStack", "Oracle", "RbxCloud", "Scaleway", "SmartOS", "UpCloud", "VMware", "Vultr",
        "WSL",
    ]

    private mutating func datasources() -> [String]? {
        guard reader.isGiven("cloud_init_datasources") else { return nil }
        let names = reader.strings("cloud_init_datasources")
        for (index, name) in names.enumerated() where !context.isOpen(name) && !Self.knownDatasources.contains(name) {
            let isWord = !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            let near = suggestion(for: name, among: Self.knownDatasources)
            if !isWord || near != nil {
                reader.error(
                    "invalid-value", "“\(name)” is not a data source of cloud-init",
                    near.map { "Did you mean \"\($0)\"?" } ?? "Such as NoCloud, ConfigDrive or OpenStack.",
                    at: "cloud_init_datasources", element: index)
            } else {
                reader.warning(
                    "unknown-datasource", "cloud-init may not know the data source “\(name)”",
                    "Known are: " + Self.knownDatasources.joined(separator: ", ") + ".",
                    at: "cloud_init_datasources", element: index)
            }
        }
        return names
    }
}
