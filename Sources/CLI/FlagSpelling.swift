/// Packer's users type `-var`, `-force=true`, `-color=false`; the parser knows `--var` and bare flags.
package enum FlagSpelling {
    private static let switches: Set<String> = [
        "force", "debug", "timestamp-ui", "json", "syntax-only", "no-warn-undeclared-var", "warn-on-undeclared-var",
        "evaluate-datasources", "ignore-prerelease-plugins", "use-sequential-evaluation", "skip-enforcement",
        "checkpoints", "no-checkpoints", "watch", "check", "diff", "recursive", "upgrade", "with-annotations",
        machineReadable,
    ]
    private static let options: Set<String> = [
        "var", "var-file", "only", "except", "on-error", "parallel-builds", "connect", "color", "config-type",
        "output-file", "fresh-from", "max-age", "until",
    ]
    /// Packer's boolean options whose default is true.
    private static let booleans: Set<String> = ["color", "write", "validate"]
    private static let machineReadable = "machine-readable"

    /// The arguments in the parser's spelling.
    package static func normalised(_ arguments: [String]) -> [String] {
        if let first = arguments.first, ["-v", "-version", "--version"].contains(first) {
            return normalised(["version"] + arguments.dropFirst())
        }
        for change in ["install", "uninstall"]
        where arguments.first?.drop(while: { $0 == "-" }) == "autocomplete-\(change)" {
            return ["completion", "--change=\(change)"]
        }
        var result: [String] = []
        var rest = arguments[...]
        var isMachineReadable = false
        while let argument = rest.popFirst() {
            if argument == "--" { break }
            guard argument.hasPrefix("-"), argument.count > 2 else {
                result.append(argument)
                continue
            }
            let body = argument.drop { $0 == "-" }
            let name = String(body.prefix { $0 != "=" })
            let value = body.contains("=") ? String(body.dropFirst(name.count + 1)) : nil
            if name == machineReadable, value == nil {
                isMachineReadable = true
            } else if switches.contains(name), let value, let isOn = truth(value) {
                if isOn { result.append("--" + name) }
            } else if booleans.contains(name), value.flatMap(truth) != nil || value == nil {
                result.append("--\(name)=\(value.flatMap(truth) ?? true)")
            } else if options.contains(name), value == nil, let next = rest.popFirst() {
                // Joined, so that a value with a leading dash is not taken for a flag.
                result.append("--\(name)=\(next)")
            } else {
                result.append("--" + body)
            }
        }
        // Packer also takes it before the command.
        if isMachineReadable, result.contains(where: { !$0.hasPrefix("-") }) { result.append("--" + machineReadable) }
        return rest.isEmpty && !arguments.contains("--") ? result : result + ["--"] + rest
    }

    /// Whether `-machine-readable` is among the arguments, which may be wrong otherwise.
    package static func requestsRecords(_ arguments: [String]) -> Bool {
        arguments.prefix { $0 != "--" }.contains { $0 == "-" + machineReadable || $0 == "--" + machineReadable }
    }

    private static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "t", "true": true
        case "0", "f", "false": false
        default: nil
        }
    }
}
