import ArgumentParser
import Templates

struct FixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fix", abstract: "Prints a JSON template with old options under their names of today.",
        discussion: "For templates of Packer's old JSON format; the file itself is left alone.")

    @Option(help: ArgumentHelp("false prints the result without checking it.", valueName: "bool"))
    var validate = true

    @OptionGroup var template: RewritingOptions

    func run() throws {
        let fixed = fixTemplate(template.loadOptions, isValidated: validate)
        // Standard output carries the template.
        if let text = fixed.text { put(text) }
        try template.report(fixed)
    }
}
