import ArgumentParser
import Templates

struct PluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "Lists the plugins that a template requires, and the built-in components.",
        subcommands: [Required.self, Installed.self, Install.self, Remove.self], aliases: ["plugin"])

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

    struct Install: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "install", abstract: "Checks whether a plugin is built in.",
            discussion:
                "Nothing is downloaded: all components are built in. The exit code is 1 if the plugin has none that is."
        )

        @Flag(help: .hidden)
        var force = false

        @Option(help: .hidden)
        var path: String?

        @OptionGroup var output: OutputOptions

        @Argument(help: ArgumentHelp("The plugin, such as github.com/hashicorp/qemu.", valueName: "source"))
        var source: String

        @Argument(help: ArgumentHelp("Accepted for compatibility.", valueName: "version"))
        var version: String?

        func run() throws {
            let plugin = describePlugin(source)
            output.say("\(source): \(plugin.standing)\n")
            if !plugin.isBuiltIn { throw ExitCode(1) }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Does nothing: built-in components cannot be removed.",
            shouldDisplay: false)

        @OptionGroup var output: OutputOptions

        @Argument var source: String
        @Argument var version: String?

        func run() {
            output.say("There is nothing to remove: Ingot has no plugins.\n")
        }
    }
}
