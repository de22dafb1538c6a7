import ArgumentParser

/// The flags of every command that control its output.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Prints Packer's machine-readable records: time,target,type,data.")
    var machineReadable = false

    @Option(
        help: ArgumentHelp("Whether output has colours; by default, on a terminal.", valueName: "bool"),
        completion: .list(["true", "false"]))
    var color: Bool?

    var usesColor: Bool { !machineReadable && Terminal.usesColor(color) }
}
