import ArgumentParser
import Templates

struct PluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "Shows the plugins that a template requires, and what is built in.",
        subcommands: [Required.self, Installed.self], aliases: ["plugin"])

    struct Required: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "required", abstract: "Lists the plugins that a template requires.")

        @OptionGroup var output: OutputOptions
        @OptionGroup var template: TemplateOptions

        func run() throws {
            try listRequiredPlugins(try template.loadOptions()).show(output)
        }
    }

    struct Installed: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "installed", abstract: "Lists the components that are built into Ingot.")

        @OptionGroup var output: OutputOptions

        func run() {
            output.say(listBuiltInComponents())
        }
    }
}
