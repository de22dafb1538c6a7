import ArgumentParser
import Templates

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Checks whether the plugins that a template requires are built in.",
        discussion: "Nothing is downloaded: all components are built in, and a template can be built without init.")

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
