import ArgumentParser
import Pipeline

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")

    @OptionGroup var output: OutputOptions

    func run() {
        if output.machineReadable {
            MachineRecord("version", [ingotVersion]).write()
            // Packer's own spelling.
            MachineRecord("version-prelease", [""]).write()
            MachineRecord("version-commit", [""]).write()
        }
        output.say("Ingot v\(ingotVersion)\n")
    }
}
