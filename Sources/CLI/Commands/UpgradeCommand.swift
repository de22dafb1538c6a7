import ArgumentParser
import HCL
import Templates

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hcl2_upgrade", abstract: "Translates a JSON template to HCL, in a file beside it.")

    @Option(
        help: ArgumentHelp(
            "The file to write instead of TEMPLATE.pkr.hcl; - prints the template.", valueName: "file"),
        completion: .file(extensions: ["pkr.hcl"]))
    var outputFile: String?

    @Flag(help: "Explains the blocks in comments.")
    var withAnnotations = false

    @OptionGroup var template: RewritingOptions

    func run() throws {
        let upgraded = upgradeTemplate(template.loadOptions, hasAnnotations: withAnnotations)
        try template.report(upgraded)
        guard let text = upgraded.text else { throw ExitCode(1) }
        if outputFile == "-" || (outputFile == nil && template.path == "-") {
            put(text)
            return
        }
        let target = outputFile ?? template.path + ".pkr.hcl"
        if let problem = replaceFile(at: target, with: Array(text.utf8)) {
            writeError("Error: \(target) cannot be written: \(problem).")
            throw ExitCode(1)
        }
        template.output.say("Successfully created \(target).\n")
    }
}
