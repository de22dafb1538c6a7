import ComponentModel
import Foundation
import Processes
import Scopes
import Templates

/// `shell-local`: runs scripts on this machine, as a provisioner or as a post-processor.
struct RunLocalScript: Sendable {
    let settings: ShellLocalSettings
    let build: PlannedBuild
    let data: RunData
    let context: RunContext
    let reporter: Reporter

    func run() async throws {
        if !settings.onlyOn.isEmpty && !settings.onlyOn.contains("linux") {
            reporter.news("Skipping shell-local due to runtime OS")
            return
        }
        switch settings.scripts {
        case .inline(let lines):
            let text = try lines.map { try context.render($0, data: data.templateData) }.joined(separator: "\n")
            try await run(copy: Data("#!\(settings.inlineShebang)\n\(text)\n".utf8), shown: "an inline script")
        case .files(let paths):
            for path in paths {
                let file = context.absolute(path)
                let real = URL(filePath: file).resolvingSymlinksInPath().path
                // One that cannot be looked at fails when it runs.
                let type = (try? FileManager.default.attributesOfItem(atPath: real))?[.type] as? FileAttributeType
                // A device such as /dev/null can be read but not executed.
                if type == .typeCharacterSpecial {
                    let script = try attemptingNow("read the script \(path)") {
                        try Data(contentsOf: URL(filePath: file))
                    }
                    try await run(copy: script, shown: path)
                } else {
                    try await run(script: file, shown: path)
                }
            }
        }
    }

    private func run(copy script: Data, shown: String) async throws {
        let path = temporaryPath(suffix: settings.temporaryFileExtension)
        try writeFile(script, to: path, mode: 0o700)
        defer { unlink(path) }
        try await run(script: path, shown: shown)
    }

    private func run(script: String, shown: String) async throws {
        reporter.news("Running local shell script: \(shown)")
        var environment = BuildEnvironment(build: build, data: data).variables
        for (name, value) in settings.environment {
            environment[name] = try context.render(value, data: data.templateData)
        }
        let variables = formatVariables(environment, format: settings.environmentFormat ?? "%s='%s' ")
        var fields = data.templateData
        fields["Vars"] = variables
        fields["Script"] = script
        fields["Command"] = script
        let template = settings.executeCommand ?? ["/bin/sh", "-c", "{{.Vars}} {{.Script}}"]
        var command = try template.map { try context.render($0, data: fields) }
        if command.count == 1 { command = ["/bin/sh", "-c"] + command }
        guard let program = command.first else { return }
        let exit = try await runProcess(
            program, Array(command.dropFirst()), environment: context.environment,
            workingDirectory: context.workingDirectory
        ) { [reporter] line in
            reporter.report(.guest(isError: line.isError), printable(line.text))
        }
        guard case .code(let code) = exit, settings.validExitCodes.contains(Int(code)) else {
            throw BuildError(
                "run the local script \(shown)", because: "it ended with \(exit)",
                hint: "Its output is above and in the run folder.")
        }
    }
}
