import ArgumentParser
import Foundation
import Templates

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Tells whether the plugins that a template requires are built in.",
        discussion: "Nothing is downloaded: Ingot has no plugins.")

    @Flag(help: "Accepted for compatibility; there is nothing to upgrade.")
    var upgrade = false

    @Flag(help: "Accepted for compatibility; there is nothing to install.")
    var force = false

    @Option(help: ArgumentHelp("Colours: true or false; by default, on a terminal.", valueName: "bool"))
    var color: Bool?

    @OptionGroup var template: TemplateOptions

    func run() throws {
        let options = try template.loadOptions(
            force: false, isValidation: true, warnsOnUndeclared: false, startTime: Date())
        try checkRequiredPlugins(options).show(color: color)
    }
}
