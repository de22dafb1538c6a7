import ArgumentParser
import Foundation
import Templates

/// The flags that decide what a template means: variables and the choice of builds.
struct TemplateOptions: ParsableArguments {
    @Option(
        name: .customLong("var"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Sets a variable; beats every other way.", valueName: "name=value"))
    var variables: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Reads variables from a .hcl or .json file.", valueName: "file"))
    var varFile: [String] = []

    @Option(help: ArgumentHelp("Builds only what matches, such as '*.qemu.debian'.", valueName: "names"))
    var only: [String] = []

    @Option(help: ArgumentHelp("Builds all but what matches.", valueName: "names"))
    var except: [String] = []

    @Argument(help: ArgumentHelp("A .pkr.hcl file, or a folder of them.", valueName: "template"))
    var path: String

    /// - Throws: `UsageError` for a `-var` without a name or without `=`.
    func loadOptions(
        force: Bool, isValidation: Bool, warnsOnUndeclared: Bool, startTime: Date
    ) throws -> LoadOptions {
        LoadOptions(
            path: path, variables: try variableAssignments(variables), variableFiles: varFile,
            environment: ProcessInfo.processInfo.environment,
            only: patterns(only), except: patterns(except),
            workingDirectory: FileManager.default.currentDirectoryPath, force: force, startTime: startTime,
            isValidation: isValidation, warnsOnUndeclared: warnsOnUndeclared)
    }

    /// The folder of the template, absolute.
    func directory(in workingDirectory: String) -> String {
        let absolute = path.hasPrefix("/") ? path : workingDirectory + "/" + path
        let url = URL(filePath: absolute).standardizedFileURL
        return path.hasSuffix(".hcl") || path.hasSuffix(".json") ? url.deletingLastPathComponent().path : url.path
    }

    private func patterns(_ lists: [String]) -> [String] {
        lists.flatMap { $0.split(separator: ",").map(String.init) }
    }
}

/// Names and values of `-var`.
///
/// - Throws: `UsageError` for one without a name or without `=`.
func variableAssignments(_ texts: [String]) throws -> [(name: String, value: String)] {
    try texts.map { text in
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw UsageError(message: "-var wants name=value, not \"\(text)\"")
        }
        return (name: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
    }
}
