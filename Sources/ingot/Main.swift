import CLI

@main
struct Main {
    static func main() async {
        await Ingot.run(Array(CommandLine.arguments.dropFirst()))
    }
}
