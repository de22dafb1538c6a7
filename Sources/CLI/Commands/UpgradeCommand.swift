import ArgumentParser
import Diagnostics
import Foundation
import Templates

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hcl2_upgrade", abstract: "Writes a JSON template in HCL, into a file beside it.")

    @Option(
        help: ArgumentHelp(
            "The file to write instead of TEMPLATE.pkr.hcl; - prints the template.", valueName: "file"),
        completion: .file(extensions: ["pkr.hcl"]))
    var outputFile: String?

    @Flag(help: "Explains the blocks in comments.")
    var withAnnotations = false

    @OptionGroup var output: OutputOptions

    @Argument(
        help: ArgumentHelp("A .json template, or - for standard input.", valueName: "template"),
        completion: .file(extensions: ["json"]))
    var path: String

    func run() throws {
        let options = LoadOptions(
            path: path, environment: ProcessInfo.processInfo.environment,
            workingDirectory: FileManager.default.currentDirectoryPath, standardInput: standardInput(for: path))
        let upgraded = upgradeTemplate(options, hasAnnotations: withAnnotations)
        try reportRewriting(upgraded, output)
        guard let text = upgraded.text else { throw ExitCode(1) }
        if outputFile == "-" || (outputFile == nil && path == "-") {
            put(text)
            return
        }
        let target = outputFile ?? path + ".pkr.hcl"
        do {
            try Data(text.utf8).write(to: URL(filePath: target), options: .atomic)
        } catch {
            writeError("Error: \(target) cannot be written: \(error.localizedDescription)")
            throw ExitCode(1)
        }
        output.say("Successfully created \(target).\n")
    }
}
