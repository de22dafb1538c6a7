/// What a component may look at while its options are checked.
struct ComponentContext: Sendable {
    var template: TemplateContext
    var files: any TemplateFileSystem
    var environment: [String: String]
    /// `-force`: an existing output directory is no error.
    var force: Bool

    /// Relative to the working directory, with a leading `~` expanded.
    func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        if path == "~" || path.hasPrefix("~/"), let home = environment["HOME"] { return home + path.dropFirst() }
        return template.workingDirectory + "/" + path
    }

    func exists(_ path: String) -> Bool { files.kind(of: absolute(path)) != nil }

    /// The value is made of what only a run knows, so nothing can be checked yet.
    func isOpen(_ text: String) -> Bool { text.contains("<unknown>") || text.contains("{{") }
}

extension OptionReader {
    /// `name` names a file of this machine that must exist now.
    mutating func requireFile(_ path: String, _ name: String, _ context: ComponentContext) {
        guard !path.isEmpty, !context.isOpen(path), !context.exists(path) else { return }
        error(
            "missing-file", "“\(path)”, given by \(name), does not exist",
            path.hasPrefix("/") || path.hasPrefix("~")
                ? "" : "The path is relative to the working directory, \(context.template.workingDirectory).", at: name)
    }

    /// A half-open range of ports, where equal ends mean exactly that port.
    mutating func ports(_ minimum: String, _ maximum: String, _ defaults: Range<Int>, least: Int = 1) -> Range<Int> {
        let low = int(minimum) ?? defaults.lowerBound
        let high = int(maximum) ?? max(low, defaults.upperBound)
        for (name, port) in [(minimum, low), (maximum, high)] where !(least...65536).contains(port) {
            error("invalid-port", "\(name) is out of range", "It must lie between \(least) and 65535.", at: name)
            return defaults
        }
        guard low <= high else {
            error(
                "invalid-port", "\(minimum) is greater than \(maximum)", "", at: isGiven(minimum) ? minimum : maximum)
            return defaults
        }
        return low..<high
    }
}
