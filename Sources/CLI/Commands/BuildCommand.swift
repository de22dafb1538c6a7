import ArgumentParser
import Diagnostics
import Foundation
import Pipeline
import Scopes
import Templates

struct BuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Builds the images that a template describes.",
        discussion: """
            Builds run side by side; one that fails does not stop the others. Exit codes: 0 done, 1 the template or a \
            build failed, 2 wrong usage, 130 and 143 interrupted.
            """)

    @Flag(help: "Replaces an existing output directory once the new image is complete.")
    var force = false

    @Option(
        help: ArgumentHelp(
            "What to do when a step fails; abort leaves the machine and its files as they are.", valueName: "action"))
    var onError = OnError.cleanup

    @Option(help: ArgumentHelp("The most builds that run at the same time; 0 for no limit.", valueName: "n"))
    var parallelBuilds = 0

    @Flag(help: "Starts every line with the time.")
    var timestampUi = false

    @Flag(help: "Runs one build after the other and waits for Enter after every step.")
    var debug = false

    @Flag(help: "Builds again, from the last valid checkpoint, whenever a file of the template changes.")
    var watch = false

    @Flag(help: "Prints events as JSON, one object per line.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "The libvirt connection to build on, such as qemu:///system; by default, one without a daemon.",
            valueName: "uri"),
        completion: .list(["qemu:///system", "qemu:///session"]))
    var connect: String?

    @Flag(help: "Warns about variables that a file sets but the template does not declare.")
    var warnOnUndeclaredVar = false

    @Flag(help: .hidden)
    var ignorePrereleasePlugins = false

    @Flag(help: .hidden)
    var useSequentialEvaluation = false

    @Flag(help: .hidden)
    var skipEnforcement = false

    @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointFlags
    @OptionGroup var output: OutputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var template: TemplateOptions

    func run() async throws {
        let isAttended = Terminal.inputIsTerminal && Terminal.outputIsTerminal && !output.machineReadable
        if (debug || onError == .ask) && !isAttended {
            throw UsageError(
                message:
                    "\(debug ? "-debug" : "-on-error=ask") needs a terminal. To keep the machine of a failed build without "
                    + "one, use -on-error=abort.")
        }
        if watch { try checkWatchable() }
        let engine = Engine(connectURI: connect, environment: ProcessInfo.processInfo.environment)
        let result: Result<Int32, any Error>
        do { result = .success(try await buildAndWatch(engine)) } catch { result = .failure(error) }
        await engine.close()
        let status = try result.get()
        if status != 0 { throw ExitCode(status) }
    }

    private func buildAndWatch(_ engine: Engine) async throws -> Int32 {
        var replaces = force
        while true {
            let files = NamedFiles()
            var status: Int32
            do { status = try await build(replaces: replaces, files, engine) } catch let code as ExitCode {
                status = code.rawValue
            }
            guard watch, status < 128 else { return status }
            // There was no output when it began, so what is there now is its own.
            replaces = true
            try await waitForChange(of: files)
        }
    }

    /// Runs the builds once.
    ///
    /// - Parameter files: Takes the files that the builds are made of.
    private func build(replaces: Bool, _ files: NamedFiles, _ engine: Engine) async throws -> Int32 {
        files.note(template.absolutePath(in: FileManager.default.currentDirectoryPath))
        let loaded = try await template.loadForRun(
            selection: selection, force: replaces || checkpoints.until != nil, warnsOnUndeclared: warnOnUndeclaredVar,
            json: json, noting: files, output)
        let (plan, context) = (loaded.plan, loaded.context)
        var options = try checkpoints.options(environment: context.environment)
        if watch { options.files = files }

        let debugLog = try DebugLog(environment: context.environment)
        let form = form(sharesTerminal: debugLog?.isOnTerminal ?? false)
        var ask: Attendant.Ask?
        if Terminal.inputIsTerminal, !output.machineReadable {
            let prompt = Prompt()
            ask = { question in try await prompt.ask(question, on: form.console) }
        }
        let attendant = Attendant(onError: onError, pausesBetweenSteps: debug, ask: ask)
        let builds = RunBuilds(
            plan: plan, context: context,
            options: BuildOptions(onError: onError, connectURI: connect, checkpoints: options),
            engine: engine, parallelBuilds: debug ? 1 : parallelBuilds,
            sinks: [form.sink] + (debugLog.map { [$0] } ?? []),
            attendant: attendant,
            runsDirectory: StateFolders(environment: context.environment).runs)
        if watch, !context.force, let output = builds.existingOutput {
            throw BuildError(
                "watch the template", because: "\(output) exists already, and each build would replace it",
                hint: "Add -force to replace it, or name another output_directory.")
        }
        let summary = BuildSummary(form: form, redactor: Redactor(plan.secrets))
        let interruption = Interruption()
        let (outcomes, signal) = try await interruption.run(announce: summary.announceInterruption) {
            try await withTicks(form) { try await builds.run() }
        }
        summary.show(outcomes)
        if let signal { return 128 + signal }
        return outcomes.contains { if case .failure = $0.result { true } else { false } } ? 1 : 0
    }

    private func checkWatchable() throws {
        let reason: String? =
            if template.path == "-" {
                "a template on standard input does not change"
            } else if try checkpoints.options(environment: ProcessInfo.processInfo.environment).offBecause != nil {
                "it needs checkpoints, which are off"
            } else { nil }
        if let reason { throw UsageError(message: "--watch cannot be used here: \(reason).") }
    }

    private func waitForChange(of files: NamedFiles) async throws {
        let watched = files.count == 1 ? "1 file" : "\(files.count) files and folders"
        if !json, !output.machineReadable { put("\nWatching \(watched); press Ctrl-C to stop.\n") }
        let (changed, signal) = try await Interruption().run(announce: { _ in }) { () async throws -> String? in
            do { return try await files.change() } catch is CancellationError { return nil }
        }
        guard let changed else { throw ExitCode(128 + (signal ?? SIGINT)) }
        let folder = FileManager.default.currentDirectoryPath + "/"
        let shown = changed.hasPrefix(folder) ? String(changed.dropFirst(folder.count)) : changed
        if !json, !output.machineReadable { put("\n\(shown) has changed.\n\n") }
    }

    /// - Parameter sharesTerminal: Whether something else writes to the terminal, so that no line can be drawn over.
    private func form(sharesTerminal: Bool) -> BuildOutput {
        if output.machineReadable { return .records }
        if json { return .json }
        var device = Console.Device.standardOutput
        if sharesTerminal { device.isLive = false }
        return .console(Console(usesColor: output.usesColor, timestamps: timestampUi, device: device))
    }

    /// Redraws the status line every second while `body` runs.
    private func withTicks<Value: Sendable>(
        _ form: BuildOutput, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        guard case .console(let console) = form else { return try await body() }
        let ticker = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(1))
                console.tick()
            }
        }
        defer { ticker.cancel() }
        return try await body()
    }
}

extension OnError: ExpressibleByArgument {}
