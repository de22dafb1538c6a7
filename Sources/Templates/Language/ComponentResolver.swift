import ComponentModel
import Diagnostics

/// Resolves the type of a component.
///
/// The first part of a type is the name under which `required_plugins` has the plugin, so a plugin of another name gives its components
/// other names, and a type of a plugin that Ingot does not know is still accepted.
struct ComponentResolver: Sendable {
    enum Resolution {
        case builtIn(type: String, [Option])
        case known
        /// With a hint at what may have been meant.
        case unknown(String)
    }

    /// Plugin sources by name; nil in JSON templates, which cannot name any.
    var plugins: [String: String]?

    func canonical(_ type: String, _ family: KnownComponents.Family) -> String {
        if family.builtIn[type] != nil { return type }
        for (name, source) in plugins ?? [:] where type == name || type.hasPrefix(name + "-") {
            guard let last = source.split(separator: "/").last else { continue }
            let own = last + type.dropFirst(name.count)
            if family.builtIn[String(own)] != nil { return String(own) }
        }
        return type
    }

    func resolve(_ type: String, _ family: KnownComponents.Family) -> Resolution {
        let canonical = canonical(type, family)
        if let specs = family.builtIn[canonical] { return .builtIn(type: canonical, specs) }
        if family.known.contains(type) { return .known }
        if let plugins, plugins.keys.contains(where: { type == $0 || type.hasPrefix($0 + "-") }) { return .known }
        let hint = suggestion(for: type, among: family.known.union(family.builtIn.keys))
        return .unknown(
            hint.map { "Did you mean \"\($0)\"?" }
                ?? (plugins == nil
                    ? "It belongs to no plugin that is known by name."
                    : "Built in are: \(family.builtIn.keys.sorted().joined(separator: ", ")). "
                        + "If it comes from a plugin, name the plugin in required_plugins of the packer block."))
    }
}

extension ComponentResolver {
    /// `TYPE.NAME` of the data sources that are known, but not built in.
    func missingDataSources(_ configuration: Configuration) -> Set<String> {
        Set(
            configuration.dataSources.filter { _, source in
                if case .known = resolve(source.type, KnownComponents.dataSources) { true } else { false }
            }.keys)
    }
}

/// `-only` and `-except`: globs for HCL templates, exact names for JSON ones.
struct BuildSelection {
    private struct Pattern {
        var text: String
        /// nil: the text itself.
        var glob: Glob?

        func matches(_ name: String) -> Bool { glob?.matches(name) ?? (text == name) }
    }

    private(set) var diagnostics: [Diagnostic] = []
    private var only: [Pattern] = []
    private var except: [Pattern] = []

    init(_ options: LoadOptions, isExact: Bool = false) {
        for (flag, patterns) in [("-only", options.only), ("-except", options.except)] {
            for text in patterns {
                let pattern = Pattern(text: text, glob: isExact ? nil : Glob(text))
                if pattern.glob == nil, !isExact {
                    diagnostics.append(
                        Diagnostic(
                            id: "template/invalid-pattern", summary: "\(flag)=\(text) is not a pattern",
                            detail: "A bracket or brace in it is not closed."))
                    continue
                }
                if flag == "-only" { only.append(pattern) } else { except.append(pattern) }
            }
        }
    }

    func includes(_ name: String) -> Bool {
        if !only.isEmpty, !only.contains(where: { $0.matches(name) }) { return false }
        return !except.contains { $0.matches(name) }
    }

    /// Post-processors are excluded by name or type.
    func excludes(component name: String?, type: String) -> Bool {
        except.contains { $0.matches(type) || name.map($0.matches) ?? false }
    }

    /// - Parameter postProcessors: Names and types, which `-except` takes beside builds.
    mutating func reportUnmatched(among builds: [String], postProcessors: Set<String>) {
        for pattern in only where !builds.contains(where: pattern.matches) {
            warn("-only=\(pattern.text) matches no build", pattern.text, builds, known: builds)
        }
        let known = builds + postProcessors.sorted()
        for pattern in except where !known.contains(where: pattern.matches) {
            warn("-except=\(pattern.text) matches no build and no post-processor", pattern.text, builds, known: known)
        }
    }

    private mutating func warn(_ summary: String, _ text: String, _ builds: [String], known: [String]) {
        let near = builds.first { $0.hasSuffix("." + text) } ?? suggestion(for: text, among: known)
        diagnostics.append(
            Diagnostic(
                id: "template/unmatched-pattern", severity: .warning, summary: summary,
                detail: near.map { "Did you mean \"\($0)\"?" } ?? "The template has: " + known.joined(separator: ", ")
                    + "."))
    }

    mutating func reportNothing(selected: Int, of names: [String]) {
        guard !names.isEmpty, selected == 0 else { return }
        // That a pattern matches nothing says no more.
        diagnostics.removeAll { $0.id == "template/unmatched-pattern" }
        diagnostics.append(
            Diagnostic(
                id: "template/no-builds",
                summary: (only.map { "-only=\($0.text)" } + except.map { "-except=\($0.text)" }).joined(separator: " ")
                    + " leaves no build",
                detail: "The template has: " + names.joined(separator: ", ") + "."))
    }
}
