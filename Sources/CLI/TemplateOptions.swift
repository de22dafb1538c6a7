import ArgumentParser
import DataSources
import Foundation
import Templates

/// A template, and the flags that set its variables.
struct TemplateOptions: ParsableArguments {
    @OptionGroup var values: VariableOptions

    @Argument(
        help: ArgumentHelp(
            "A .pkr.hcl, .pkr.json or .json file, a folder of such HCL files, or - for standard input.",
            valueName: "template"),
        completion: .file(extensions: ["pkr.hcl", "pkr.json", "json"]))
    var path: String

    /// - Throws: `UsageError` for a `-var` without a name or without `=`.
    func loadOptions(
        selection: SelectionOptions? = nil, force: Bool = false, isValidation: Bool = true,
        warnsOnUndeclared: Bool = false, startTime: Date = Date()
    ) throws -> LoadOptions {
        let environment = ProcessInfo.processInfo.environment
        return LoadOptions(
            path: path, variables: try values.assignments(), variableFiles: values.varFile, environment: environment,
            only: selection?.patterns.only ?? [], except: selection?.patterns.except ?? [],
            workingDirectory: FileManager.default.currentDirectoryPath, force: force, startTime: startTime,
            isValidation: isValidation, warnsOnUndeclared: warnsOnUndeclared, standardInput: standardInput(for: path),
            secretStores: RemoteSecretStores(environment))
    }

    /// The folder of the template, absolute.
    func directory(in workingDirectory: String) -> String {
        if path == "-" { return workingDirectory }
        let whole = absolutePath(in: workingDirectory)
        let isFile = path.hasSuffix(".hcl") || path.hasSuffix(".json")
        return isFile ? URL(filePath: whole).deletingLastPathComponent().path : whole
    }

    /// The absolute path of the template, a file or a folder.
    func absolutePath(in workingDirectory: String) -> String {
        if path == "-" { return path }
        let absolute = path.hasPrefix("/") ? path : workingDirectory + "/" + path
        return URL(filePath: absolute).standardizedFileURL.path
    }
}

/// The flags that set variables.
struct VariableOptions: ParsableArguments {
    @Option(
        name: .customLong("var"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Sets a variable; overrides files and the environment (PKR_VAR_NAME). Repeatable.", valueName: "name=value"),
        completion: .list([]))
    var variables: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Reads variables from an HCL or JSON file. Repeatable.", valueName: "file"),
        completion: .file(extensions: ["pkrvars.hcl", "pkrvars.json", "hcl", "json"]))
    var varFile: [String] = []

    /// The names and values that `-var` gives.
    ///
    /// - Throws: `UsageError` for one without a name or without `=`.
    func assignments() throws -> [(name: String, value: String)] { try Self.assignments(variables) }

    static func assignments(_ texts: [String]) throws -> [(name: String, value: String)] {
        try texts.map { text in
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw UsageError(message: "-var takes name=value, not “\(text)”.")
            }
            return (name: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
        }
    }
}

/// The flags that select builds.
struct SelectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Runs only the builds with these names, separated by commas; * matches anything.", valueName: "names"),
        completion: .custom { _, _, _ in [] })
    var only: [String] = []

    @Option(
        help: ArgumentHelp("Runs all builds except those with these names.", valueName: "names"),
        completion: .custom { _, _, _ in [] })
    var except: [String] = []

    /// The patterns of both flags, split at commas.
    var patterns: (only: [String], except: [String]) {
        func pieces(_ lists: [String]) -> [String] { lists.flatMap { $0.split(separator: ",").map(String.init) } }
        return (pieces(only), pieces(except))
    }
}

/// The contents of standard input, if it is the template.
func standardInput(for path: String?) -> [UInt8]? {
    path == "-" ? Array(FileHandle.standardInput.readDataToEndOfFile()) : nil
}
