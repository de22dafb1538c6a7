import Checkpoints
import ComponentModel
import Foundation
import Scopes
import Templates

/// What one provisioner is made of: its options with every value filled in, and the files that it takes into the guest.
struct ProvisionerStage {
    /// Counts up when Ingot itself runs provisioners differently.
    static let version = 1

    let planned: PlannedProvisioner
    let build: PlannedBuild
    let context: RunContext
    /// nil: the files are only noted.
    let store: CheckpointStore?
    let files: NamedFiles?

    /// What the key of the provisioner's stage is made of.
    struct Inputs {
        var all: [StageInput]
        /// Why its result cannot be reused; nil where it can.
        var unusable: String?
        /// Whether it changes the guest, so that a checkpoint after it is useful.
        var changesGuest = true
        /// Absolute paths of what it leaves on this host.
        var downloads: [String] = []
    }

    /// - Throws: `BuildError` for a file that cannot be read.
    func inputs() async throws -> Inputs {
        var inputs = StageInputs(store: store, context: context, files: files)
        inputs.add("the way Ingot provisions", Self.version)
        inputs.add("type", text: planned.type)
        inputs.add("pause_before", planned.pauseBefore?.seconds)
        inputs.add("continue_on_error", planned.continueOnError)
        addLogin(to: &inputs)
        if planned.checkpoint == false { return Inputs(all: inputs.all, unusable: "checkpoint = false") }
        let data = RunData.placeholders(for: build.source)
        let settings: ProvisionerSettings
        do { settings = try planned.settings(data) } catch {
            return Inputs(all: inputs.all, unusable: "its options need values that only the running machine has")
        }
        switch settings {
        case .shell(let settings):
            try await add(settings, data, to: &inputs)
            if case .files(let paths) = settings.scripts, let device = paths.first(where: { !isRepeatable($0) }) {
                return Inputs(all: inputs.all, unusable: "\(device) gives what it contains only once")
            }
        case .file(let settings) where settings.direction == .download:
            inputs.add("destination", text: settings.destination)
            for source in settings.sources { inputs.add("source", text: source) }
            let downloads = try downloads(settings, data)
            return Inputs(
                all: inputs.all,
                unusable: downloads == nil ? "it downloads into a folder that holds other files as well" : nil,
                changesGuest: false, downloads: downloads ?? [])
        case .file(let settings):
            if settings.isGenerated, let missing = try missing(settings, data) {
                return Inputs(all: inputs.all, unusable: "\(missing) is made while the build runs")
            }
            try await add(settings, data, to: &inputs)
        case .shellLocal(let settings):
            try await add(settings, data, to: &inputs)
            guard planned.checkpoint != true else { break }
            return Inputs(
                all: inputs.all,
                unusable: "shell-local may read and change anything on this host, so it runs in every build "
                    + "(checkpoint = true says that it need not)")
        case .breakpoint(_, let isDisabled):
            return Inputs(
                all: inputs.all, unusable: isDisabled ? nil : "a breakpoint stops in every build", changesGuest: false)
        case .sleep(let duration):
            inputs.add("duration", duration.seconds)
            return Inputs(all: inputs.all, unusable: nil, changesGuest: false)
        }
        return Inputs(all: inputs.all, unusable: nil)
    }

    /// The user that runs it, and the variables of the build that every script gets.
    private func addLogin(to inputs: inout StageInputs) {
        inputs.add("the build's name", text: build.sourceName)
        inputs.add("the source's type", text: build.sourceType)
        guard case .ssh(let ssh) = build.source.communicator else { return }
        inputs.add("ssh_username", text: ssh.username)
        inputs.add("ssh_pty", ssh.usesPTY)
        inputs.add("ssh_forward_agent", ssh.forwardsAgent)
    }

    private func add(_ settings: ShellSettings, _ data: RunData, to inputs: inout StageInputs) async throws {
        try await add(settings.scripts, data, to: &inputs)
        add(environment: settings.environment, to: &inputs)
        inputs.add("execute_command", try settings.executeCommand.map { try rendered($0, data) })
        inputs.add("env_var_format", settings.environmentFormat)
        inputs.add("use_env_var_file", settings.useEnvironmentFile)
        inputs.add("inline_shebang", settings.inlineShebang)
        inputs.add("remote_folder", settings.remoteFolder)
        inputs.add("remote_file", settings.remoteFile)
        inputs.add("remote_path", settings.remotePath)
        inputs.add("binary", settings.isBinary)
        inputs.add("skip_clean", settings.skipClean)
        inputs.add("expect_disconnect", settings.expectDisconnect)
        inputs.add("valid_exit_codes", settings.validExitCodes)
        inputs.add("pause_after", settings.pauseAfter?.seconds)
    }

    private func add(_ settings: ShellLocalSettings, _ data: RunData, to inputs: inout StageInputs) async throws {
        try await add(settings.scripts, data, to: &inputs)
        add(environment: settings.environment, to: &inputs)
        inputs.add("execute_command", try settings.executeCommand?.map { try rendered($0, data) })
        inputs.add("env_var_format", settings.environmentFormat)
        inputs.add("inline_shebang", settings.inlineShebang)
        inputs.add("only_on", settings.onlyOn)
        inputs.add("valid_exit_codes", settings.validExitCodes)
    }

    private func add(_ settings: FileSettings, _ data: RunData, to inputs: inout StageInputs) async throws {
        inputs.add("destination", text: try rendered(settings.destination, data))
        inputs.add("content", settings.content)
        if settings.content != nil { return }
        for source in settings.sources {
            let path = try rendered(source, data)
            // With a slash at its end it is the folder's content that is uploaded.
            let name = URL(filePath: context.absolute(path)).standardizedFileURL.lastPathComponent
            let label = path.hasSuffix("/") ? String(path.dropLast()) : path
            inputs.add(name: path.hasSuffix("/") ? name + "/" : name, in: "source", as: label)
            try await inputs.add(tree: path, as: label)
        }
    }

    /// A file that an earlier provisioner has yet to make.
    private func missing(_ settings: FileSettings, _ data: RunData) throws -> String? {
        try settings.sources.map { try rendered($0, data) }
            .first { !FileManager.default.fileExists(atPath: context.absolute($0)) }
    }

    /// The paths on this host that a download ends in: of several files the folder.
    ///
    /// - Returns: nil where that folder holds other files as well.
    private func downloads(_ settings: FileSettings, _ data: RunData) throws -> [String]? {
        let destination = try rendered(settings.destination, data)
        var paths: [String] = []
        for source in settings.sources {
            let source = try rendered(source, data)
            let path: String
            if source.hasSuffix("/") || source.contains(where: { "*?[".contains($0) }) {
                path = context.absolute(destination)
            } else {
                let name = source.split(separator: "/").last.map(String.init) ?? ""
                path = context.absolute(destination.hasSuffix("/") ? destination + name : destination)
            }
            let standard = URL(filePath: path).standardizedFileURL.path
            let working = URL(filePath: context.workingDirectory).standardizedFileURL.path + "/"
            if working.hasPrefix(standard.hasSuffix("/") ? standard : standard + "/") { return nil }
            paths.append(standard)
        }
        return paths
    }

    private func add(_ scripts: Scripts, _ data: RunData, to inputs: inout StageInputs) async throws {
        switch scripts {
        case .inline(let lines):
            inputs.add("inline", text: try lines.map { try rendered($0, data) }.joined(separator: "\n"))
        case .files(let paths):
            for path in paths where isRepeatable(path) { try await inputs.add(file: path, as: path) }
        }
    }

    private func isRepeatable(_ path: String) -> Bool { CheckpointStore.isRepeatable(context.absolute(path)) }

    private func add(environment: [(name: String, value: String)], to inputs: inout StageInputs) {
        for (name, value) in environment { inputs.add("environment \(name)", text: value) }
    }

    /// With placeholders for the values of a run, such as a port, which do not matter to the guest's state.
    private func rendered(_ text: String, _ data: RunData) throws -> String {
        var fields = data.templateData
        for name in ["Path", "Vars", "EnvVarFile", "Script", "Command"] { fields[name] = "<\(name)>" }
        return try context.render(text, data: fields)
    }
}
