import Diagnostics
import GoTemplates

/// Turns the options of provisioners into settings.
package enum ProvisionerDecoder {
    package static func decode(
        _ type: String, _ reader: inout OptionReader, _ context: ComponentContext
    ) -> ProvisionerSettings? {
        switch type {
        case "shell": .shell(shell(&reader, context))
        case "file": .file(file(&reader, context))
        case "shell-local": .shellLocal(ShellLocalDecoder.decode(&reader, context))
        case "breakpoint": .breakpoint(note: reader.string("note") ?? "", isDisabled: reader.bool("disable"))
        case "sleep": .sleep(sleep(&reader))
        default: nil
        }
    }

    private static func sleep(_ reader: inout OptionReader) -> Duration {
        max(.zero, reader.duration("duration") ?? .zero)
    }

    private static func shell(_ reader: inout OptionReader, _ context: ComponentContext) -> ShellSettings {
        checkExecuteCommand(&reader)
        return ShellSettings(
            scripts: scripts(&reader, context), environment: environment(&reader),
            executeCommand: reader.text("execute_command"), environmentFormat: reader.text("env_var_format"),
            useEnvironmentFile: reader.bool("use_env_var_file"), inlineShebang: reader.text("inline_shebang"),
            remoteFolder: reader.text("remote_folder") ?? "/tmp", remoteFile: reader.text("remote_file"),
            remotePath: reader.text("remote_path"), isBinary: reader.bool("binary"),
            skipClean: reader.bool("skip_clean"), expectDisconnect: reader.bool("expect_disconnect"),
            validExitCodes: reader.isGiven("valid_exit_codes") ? reader.ints("valid_exit_codes") : [0],
            startRetryTimeout: reader.duration("start_retry_timeout") ?? .seconds(300),
            pauseAfter: reader.duration("pause_after").flatMap { $0 > .zero ? $0 : nil })
    }

    /// A command that does not contain the script's path succeeds without running the script.
    private static func checkExecuteCommand(_ reader: inout OptionReader) {
        guard let command = reader.text("execute_command") else { return }
        reader.checkFields(of: command, known: ["Vars", "Path", "EnvVarFile"] + RunData.keys, "execute_command")
        let written = ["remote_path", "remote_file"].compactMap { reader.text($0) }
        guard !templateFields(of: command).contains("Path"), !written.contains(where: command.contains) else { return }
        reader.warning(
            "script-not-run", "execute_command does not run the script",
            "Put {{ .Path }}, the script's path in the guest, where the command needs it, as in \"sudo sh -c '{{ .Vars }} {{ .Path }}'\".",
            at: "execute_command")
    }

    /// Exactly one of inline, script and scripts.
    package static func scripts(_ reader: inout OptionReader, _ context: ComponentContext, extra: [String] = [])
        -> Scripts
    {
        let inline = reader.strings("inline")
        let files = (reader.text("script").map { [$0] } ?? []) + reader.strings("scripts")
        var kinds = ["inline", "script", "scripts"].filter { name in
            reader.isUndecided(name) || reader.text(name) != nil || !reader.strings(name).isEmpty
        }
        kinds += extra
        if kinds.isEmpty {
            reader.missing("inline, script or scripts", "One of them says what is to run.")
        } else if kinds.count > 1 {
            reader.exclude(kinds[0], kinds[1])
        }
        for name in ["script", "scripts"] {
            for (index, path) in (reader.text(name).map({ [$0] }) ?? reader.strings(name)).enumerated() {
                reader.requireFile(path, name, context, element: index)
            }
        }
        return files.isEmpty ? .inline(inline) : .files(files)
    }

    /// Sorted by name; `env` wins over `environment_vars`.
    package static func environment(_ reader: inout OptionReader) -> [(name: String, value: String)] {
        var variables: [String: String] = [:]
        for (index, text) in reader.strings("environment_vars").enumerated() {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                reader.error(
                    "invalid-environment", "An entry of environment_vars is not NAME=VALUE",
                    "Write each as \"NAME=VALUE\", or use env = { NAME = \"VALUE\" }.", at: "environment_vars",
                    element: index)
                continue
            }
            variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        variables.merge(reader.map("env")) { _, new in new }
        return variables.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    private static func file(_ reader: inout OptionReader, _ context: ComponentContext) -> FileSettings {
        let direction = reader.choice("direction")
        let isDownload = direction == "download"
        let content = reader.text("content")
        let sources = reader.strings("sources") + (reader.text("source").map { [$0] } ?? [])
        let hasSources =
            !sources.isEmpty || reader.isUndecided("source") || reader.isUndecided("sources")
        if !hasSources, !reader.isGiven("content") {
            reader.missing("source, sources or content", "One of them says what is to be copied.")
        }
        if content != nil {
            for name in ["source", "sources"] where reader.text(name) != nil || !reader.strings(name).isEmpty {
                reader.exclude("content", name)
            }
            if isDownload {
                reader.error(
                    "exclusive-options", "content cannot be downloaded", "Remove content or direction.", at: "content")
            }
        }
        if !isDownload, !reader.bool("generated"), !reader.isUndecided("generated") {
            if let source = reader.text("source") { reader.requireFile(source, "source", context, allowsFolder: true) }
            for (index, source) in reader.strings("sources").enumerated() {
                reader.requireFile(source, "sources", context, allowsFolder: true, element: index)
            }
        }
        return FileSettings(
            direction: isDownload ? .download : .upload, content: content, sources: sources,
            destination: reader.string("destination") ?? "", isGenerated: reader.bool("generated"))
    }
}

/// `shell-local`, the same as provisioner and as post-processor.
package enum ShellLocalDecoder {
    package static func decode(_ reader: inout OptionReader, _ context: ComponentContext) -> ShellLocalSettings {
        let command = reader.text("command")
        var scripts = ProvisionerDecoder.scripts(
            &reader, context, extra: command != nil || reader.isUndecided("command") ? ["command"] : [])
        if let command { scripts = .inline([command]) }
        let onlyOn = reader.strings("only_on")
        reader.checkChoices("only_on", onlyOn) { "“\($0)” is not an operating system that only_on knows" }
        let execute = reader.strings("execute_command")
        for (index, word) in execute.enumerated() {
            reader.checkFields(
                of: word, known: ["Vars", "Script", "Command"] + RunData.keys, "execute_command", element: index)
        }
        if !execute.isEmpty, execute.allSatisfy({ templateFields(of: $0).isDisjoint(with: ["Script", "Command"]) }) {
            reader.warning(
                "script-not-run", "execute_command does not run the script",
                "Put {{ .Script }}, the script's path, where the command needs it, as in [\"/bin/sh\", \"-c\", \"{{ .Vars }} {{ .Script }}\"].",
                at: "execute_command")
        }
        return ShellLocalSettings(
            scripts: scripts, environment: ProvisionerDecoder.environment(&reader),
            executeCommand: execute.isEmpty ? nil : execute, environmentFormat: reader.text("env_var_format"),
            inlineShebang: reader.text("inline_shebang") ?? "/bin/sh -e", onlyOn: onlyOn,
            temporaryFileExtension: reader.text("tempfile_extension") ?? "",
            validExitCodes: reader.isGiven("valid_exit_codes") ? reader.ints("valid_exit_codes") : [0])
    }
}

/// Turns the options of post-processors into settings.
package enum PostProcessorDecoder {
    package static func decode(
        _ type: String, _ reader: inout OptionReader, _ context: ComponentContext
    ) -> PostProcessorSettings? {
        switch type {
        case "shell-local": .shellLocal(ShellLocalDecoder.decode(&reader, context))
        case "checksum": .checksum(checksum(&reader, context))
        case "manifest":
            .manifest(
                ManifestSettings(
                    output: reader.text("output") ?? "packer-manifest.json", stripPath: reader.bool("strip_path"),
                    stripTime: reader.bool("strip_time"), customData: reader.map("custom_data")))
        case "proxmox": ProxmoxUploadDecoder.decode(&reader, context).map { .proxmoxUpload($0) }
        case "proxmox-template": ProxmoxDecoder.archive(&reader, context).map { .proxmoxTemplate($0) }
        default: nil
        }
    }

    private static func checksum(_ reader: inout OptionReader, _ context: ComponentContext) -> ChecksumSettings {
        let types = reader.strings("checksum_types")
        reader.checkChoices("checksum_types", types) { "“\($0)” is not a checksum type" }
        let name = context.distinctName ?? "{{.BuildName}}"
        return ChecksumSettings(
            types: types.isEmpty ? ["md5"] : types,
            output: reader.text("output") ?? "packer_\(name)_{{.BuilderType}}_{{.ChecksumType}}.checksum")
    }
}
