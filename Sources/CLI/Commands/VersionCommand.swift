import ArgumentParser
import Pipeline

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")

    func run() {
        print("Ingot v\(ingotVersion)")
    }
}
