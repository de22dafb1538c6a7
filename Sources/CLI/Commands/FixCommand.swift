import ArgumentParser
import Templates

struct FixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fix", abstract: "Prints a JSON template with outdated options replaced by current ones.",
        discussion: "For templates in Packer's old JSON format. The file itself is not changed.")

    @Option(help: ArgumentHelp("Whether the result is checked before it is printed.", valueName: "bool"))
    var validate = true

    @OptionGroup var template: RewritingOptions

    func run() throws {
        let fixed = fixTemplate(template.loadOptions, isValidated: validate)
        // Standard output is for the template.
        if let text = fixed.text { put(text) }
        try template.report(fixed)
    }
}
