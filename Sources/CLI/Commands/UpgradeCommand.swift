import ArgumentParser
import Diagnostics
import Foundation
import Templates

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hcl2_upgrade", abstract: "Writes a JSON template in HCL, into a file beside it.")

    @Option(
        help: ArgumentHelp(
            "The file to write instead of TEMPLATE.pkr.hcl; - prints the template.", valueName: "file"))
    var outputFile: String?

    @Flag(help: "Explains the blocks in comments.")
    var withAnnotations = false

    @Option(help: ArgumentHelp("Colours: true or false; by default, on a terminal.", valueName: "bool"))
    var color: Bool?

    @Argument(help: ArgumentHelp("A JSON template.", valueName: "template"))
    var path: String

    func run() throws {
        let options = LoadOptions(
            path: path, environment: ProcessInfo.processInfo.environment,
            workingDirectory: FileManager.default.currentDirectoryPath)
        let upgraded = upgradeTemplate(options, hasAnnotations: withAnnotations)
        try reportRewriting(upgraded, usesColor: Terminal.usesColor(color))
        guard let text = upgraded.text else { throw ExitCode(1) }
        if outputFile == "-" {
            FileHandle.standardOutput.write(Data(text.utf8))
            return
        }
        let output = outputFile ?? path + ".pkr.hcl"
        do {
            try Data(text.utf8).write(to: URL(filePath: output), options: .atomic)
        } catch {
            writeError("Error: \(output) cannot be written: \(error.localizedDescription)")
            throw ExitCode(1)
        }
        print("Successfully created \(output).")
    }
}
