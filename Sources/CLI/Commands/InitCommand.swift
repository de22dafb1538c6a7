import ArgumentParser
import Templates

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Tells whether the plugins that a template requires are built in.",
        discussion: "Nothing is downloaded: Ingot has no plugins, and a template needs no init before it is built.")

    @Flag(help: "Accepted for compatibility; there is nothing to upgrade.")
    var upgrade = false

    @Flag(help: "Accepted for compatibility; there is nothing to install.")
    var force = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var template: TemplateOptions

    func run() throws {
        try checkRequiredPlugins(try template.loadOptions()).show(output)
    }
}
