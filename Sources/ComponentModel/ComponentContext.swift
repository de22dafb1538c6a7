import Diagnostics
package import GoTemplates

/// What a component may look at while its options are checked.
package struct ComponentContext: Sendable {
    package var template: TemplateContext
    package var files: any TemplateFileSystem
    package var environment: [String: String]
    /// `-force`: an existing output directory is not an error.
    package var force: Bool
    /// Only checked, not built: what is not built in is not an error yet.
    package var isValidation: Bool
    /// What a post-processor's input comes from.
    package var source: QemuSource?
    /// The build's name in default names of files, where `{{ .BuildName }}` is the same in another build of the template.
    package var distinctName: String?

    package init(
        template: TemplateContext, files: any TemplateFileSystem, environment: [String: String], force: Bool,
        isValidation: Bool
    ) {
        self.template = template
        self.files = files
        self.environment = environment
        self.force = force
        self.isValidation = isValidation
    }

    /// Relative to the working directory, with a leading `~` expanded.
    package func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        if path == "~" || path.hasPrefix("~/"), let home = environment["HOME"] { return home + path.dropFirst() }
        return template.workingDirectory + "/" + path
    }

    package func exists(_ path: String) -> Bool { files.kind(of: absolute(path)) != nil }

    /// Whether a path is a folder with nothing in it; one that cannot be listed counts as full.
    func isEmptyFolder(_ path: String) -> Bool { (try? files.names(in: absolute(path)).isEmpty) ?? false }

    /// The value is made of what only a run knows, so nothing can be checked yet.
    package func isOpen(_ text: String) -> Bool { text.contains("<unknown>") || text.contains("{{") }
}

extension OptionReader {
    /// `name` names a file of this machine that must exist and be readable now: not after an hour's installation.
    package mutating func requireFile(
        _ path: String, _ name: String, _ context: ComponentContext, allowsFolder: Bool = false, element: Int? = nil
    ) {
        guard !path.isEmpty, !context.isOpen(path) else { return }
        switch context.files.kind(of: context.absolute(path)) {
        case nil:
            let hint = neighbour(of: path, in: context.files, context.absolute).map { "Did you mean \"\($0)\"? " } ?? ""
            error(
                "missing-file", "“\(path)”, given by \(name), does not exist",
                path.hasPrefix("/")
                    ? hint
                    : path.hasPrefix("~")
                        ? hint + "It was looked for at \(context.absolute(path))."
                        : hint + "The path is relative to the working directory, \(context.template.workingDirectory).",
                at: name, element: element)
        case .directory:
            if !allowsFolder {
                error(
                    "no-file", "“\(path)”, given by \(name), is a folder", "Name a file.", at: name,
                    element: element)
            }
        case .file:
            do { try context.files.checkReadable(context.absolute(path)) } catch let reason {
                error(
                    "unreadable-file", "“\(path)”, given by \(name), cannot be read", "The reason: \(reason).",
                    at: name,
                    element: element)
            }
        }
    }

    /// A key file of another kind would be found out only when the guest asks for it.
    package mutating func requirePrivateKey(_ path: String, _ name: String, _ context: ComponentContext) {
        guard !context.isOpen(path), context.files.kind(of: context.absolute(path)) == .file,
            // What cannot be read is reported by `requireFile`; what is longer is not a key.
            let bytes = try? context.files.read(context.absolute(path), limit: 64 << 10)
        else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        if text.contains("PRIVATE KEY-----") { return }
        let hint =
            text.hasPrefix("PuTTY-User-Key-File")
            ? "It is PuTTY's own format. `puttygen \(path) -O private-openssh -o KEY` writes one that SSH takes."
            : text.hasPrefix("ssh-") || text.hasPrefix("ecdsa-")
                ? "It is the public half; name the other file." : "`ssh-keygen -t ed25519 -f KEY` makes one."
        error("no-private-key", "“\(path)”, given by \(name), is not a private key", hint, at: name)
    }

    /// A half-open range of ports, where equal ends mean exactly that port.
    package mutating func ports(_ minimum: String, _ maximum: String, _ defaults: Range<Int>, least: Int = 1) -> Range<
        Int
    > {
        let low = int(minimum) ?? defaults.lowerBound
        let high = int(maximum) ?? max(low, defaults.upperBound)
        for (name, port) in [(minimum, low), (maximum, high)] where !(least...65536).contains(port) {
            error("invalid-port", "\(name) is out of range", "It must lie between \(least) and 65535.", at: name)
            return defaults
        }
        guard low <= high else {
            error(
                "invalid-port", "\(minimum) is greater than \(maximum)",
                "It is \(low), and \(maximum) is \(high). Swap them.", at: isGiven(minimum) ? minimum : maximum)
            return defaults
        }
        return low..<high
    }
}
