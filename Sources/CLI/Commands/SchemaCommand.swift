import ArgumentParser
import Foundation
import Templates

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Prints the JSON Schema of .pkr.json templates, for editors.",
        discussion: """
            An editor that knows it completes and checks names and values. In Visual Studio Code, for example:
              ingot schema > ingot.schema.json
            and in the settings
              "json.schemas": [{ "fileMatch": ["*.pkr.json"], "url": "./ingot.schema.json" }]
            """)

    func run() {
        put(templateSchema())
    }
}
