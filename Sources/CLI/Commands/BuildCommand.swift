import ArgumentParser
import Diagnostics
import Foundation
import Pipeline
import Scopes
import Templates

struct BuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Builds the images that a template describes.")

    @Flag(help: "Replaces an output that exists already, once the new one is complete.")
    var force = false

    @Option(help: "When a step fails: cleanup, abort, ask, run-cleanup-provisioner.")
    var onError = OnError.cleanup

    @Option(help: ArgumentHelp("Builds at a time; 0 is no limit.", valueName: "n"))
    var parallelBuilds = 0

    @Flag(help: "Puts the time before every line.")
    var timestampUi = false

    @Option(help: ArgumentHelp("Colours: true or false; by default, on a terminal.", valueName: "bool"))
    var color: Bool?

    @Flag(help: "Waits for Enter after every step, one build after the other.")
    var debug = false

    @Flag(help: "Prints one JSON object a line.")
    var json = false

    @Option(
        help: ArgumentHelp("The libvirt connection to build on; by default, one without a daemon.", valueName: "uri"))
    var connect: String?

    @Flag(help: "Warns about variables that a file sets and the template does not declare.")
    var warnOnUndeclaredVar = false

    @Flag(help: .hidden)
    var ignorePrereleasePlugins = false

    @Flag(help: .hidden)
    var useSequentialEvaluation = false

    @Flag(help: .hidden)
    var skipEnforcement = false

    @OptionGroup var template: TemplateOptions

    func run() async throws {
        if (debug || onError == .ask) && !(Terminal.inputIsTerminal && Terminal.outputIsTerminal) {
            throw UsageError(
                message:
                    "\(debug ? "-debug" : "-on-error=ask") needs a terminal to ask on; choose -on-error=abort to keep "
                    + "what a failed build made.")
        }
        let startTime = Date()
        let options = try template.loadOptions(
            force: force, isValidation: false, warnsOnUndeclared: warnOnUndeclaredVar, startTime: startTime)
        let loaded = try await runningDataSources(of: options) { try await loadPlan(options, running: $0) }
        DiagnosticPrinter(files: loaded.files, json: json, color: color).print(loaded.plan.diagnostics)
        guard let plan = try? loaded.plan.get() else { throw ExitCode(1) }  // What was wrong is printed above.

        let console = json ? nil : Console(usesColor: Terminal.usesColor(color), timestamps: timestampUi)
        let sinks: [any EventSink] = if let console { [console] } else { [JSONLines()] }
        let context = RunContext(
            workingDirectory: options.workingDirectory,
            templateDirectory: template.directory(in: options.workingDirectory),
            runUUID: UUID().uuidString.lowercased(), startTime: startTime, force: force,
            environment: options.environment)
        var ask: Attendant.Ask?
        if Terminal.inputIsTerminal { ask = { question in try await Prompt.ask(question) } }
        let attendant = Attendant(onError: onError, pausesBetweenSteps: debug, ask: ask)
        let builds = RunBuilds(
            plan: plan, context: context, options: BuildOptions(onError: onError, connectURI: connect),
            parallelBuilds: debug ? 1 : parallelBuilds, sinks: sinks,
            attendant: attendant,
            runsDirectory: StateFolders(environment: options.environment).runs)
        let summary = BuildSummary(console: console, redactor: Redactor(plan.secrets))
        let interruption = Interruption()
        let (outcomes, signal) = try await interruption.run(announce: summary.announceInterruption) {
            try await withTicks(console) { try await builds.run() }
        }
        summary.show(outcomes)
        if let signal { throw ExitCode(128 + signal) }
        if outcomes.contains(where: { if case .failure = $0.result { true } else { false } }) { throw ExitCode(1) }
    }

    /// Keeps the live line moving while `body` runs.
    private func withTicks<Value: Sendable>(
        _ console: Console?, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let ticker = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(1))
                console?.tick()
            }
        }
        defer { ticker.cancel() }
        return try await body()
    }
}

extension OnError: ExpressibleByArgument {}
