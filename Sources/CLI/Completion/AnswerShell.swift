import Diagnostics
import Foundation
import Templates

/// Answers the shells' scripts: `__complete SHELL CURSOR WORDS…`.
enum AnswerShell {
    /// The answer to print; nil if the arguments are no such question.
    static func answer(_ arguments: [String]) -> String? {
        guard arguments.first == Shell.request else { return nil }
        guard arguments.count >= 3, let cursor = Int(arguments[2]), let tree = CommandTree.ingot() else { return "" }
        let request = CompletionRequest(
            words: Array(arguments.dropFirst(3)), cursor: cursor, joins: arguments[1] == Shell.bash.rawValue)
        let answer = CompleteWord(tree, listFolder: names(in:), listBuilds: builds, listVariables: variables)
            .answer(to: request)
        return answer.text(without: request.kept)
    }

    private static func names(in folder: String) -> [String] {
        let path = NSString(string: folder).expandingTildeInPath
        // A folder that cannot be read has nothing to offer.
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [] }
        return names.prefix(10_000).map { name in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder)
            return isFolder.boolValue ? name + "/" : name
        }
    }

    /// Without a template on the line yet: of the one in the working directory.
    private static func builds(_ template: String?, _ variables: [String], _ files: [String]) -> [String] {
        var options = loadOptions(template)
        // A value that is not finished yet is none.
        options.variables = (try? VariableOptions.assignments(variables)) ?? []
        options.variableFiles = files
        return loadPlan(options).plan.value.builds.map(\.name)
    }

    private static func variables(_ template: String?) -> [CompletionAnswer.Candidate] {
        declaredVariables(loadOptions(template)).map { variable in
            let meaning = variable.description.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
            return .init(variable.name, meaning.replacing("\t", with: " "))
        }
    }

    private static func loadOptions(_ template: String?) -> LoadOptions {
        LoadOptions(
            path: template.map { NSString(string: $0).expandingTildeInPath } ?? ".",
            environment: ProcessInfo.processInfo.environment,
            workingDirectory: FileManager.default.currentDirectoryPath, isValidation: true)
    }
}
