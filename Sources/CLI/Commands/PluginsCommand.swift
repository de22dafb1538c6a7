import ArgumentParser
import Foundation
import Templates

struct PluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "Shows the plugins that a template requires, and what is built in.",
        subcommands: [Required.self, Installed.self], aliases: ["plugin"])

    struct Required: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "required", abstract: "Lists the plugins that a template requires.")

        @OptionGroup var template: TemplateOptions

        func run() throws {
            let options = try template.loadOptions(
                force: false, isValidation: true, warnsOnUndeclared: false, startTime: Date())
            try listRequiredPlugins(options).show(color: nil)
        }
    }

    struct Installed: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "installed", abstract: "Lists the components that are built into Ingot.")

        func run() {
            print(listBuiltInComponents(), terminator: "")
        }
    }
}
