import ArgumentParser

/// The flags that decide what output looks like, of every command.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Prints Packer's records for programs: time,target,type,data.")
    var machineReadable = false

    @Option(
        help: ArgumentHelp("Colours: true or false; by default, on a terminal.", valueName: "bool"),
        completion: .list(["true", "false"]))
    var color: Bool?

    var usesColor: Bool { !machineReadable && Terminal.usesColor(color) }
}
