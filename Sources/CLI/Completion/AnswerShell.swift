import Checkpoints
import Diagnostics
import Foundation
import Pipeline
import Scopes
import Templates

/// Answers the completion scripts of shells: `__complete SHELL CURSOR WORDS…`.
enum AnswerShell {
    /// The answer to print; nil if the arguments are not a completion request.
    static func answer(_ arguments: [String]) -> String? {
        guard arguments.first == Shell.request else { return nil }
        guard arguments.count >= 3, let cursor = Int(arguments[2]), let tree = CommandTree.ingot() else { return "" }
        let request = CompletionRequest(
            words: Array(arguments.dropFirst(3)), cursor: cursor, joins: arguments[1] == Shell.bash.rawValue)
        let sources = CompleteWord.Sources(
            builds: builds, variables: variables, stages: stages, checkpoints: checkpoints)
        let answer = CompleteWord(tree, listFolder: names(in:), sources).answer(to: request)
        return answer.text(without: request.kept)
    }

    private static func names(in folder: String) -> [String] {
        let path = NSString(string: folder).expandingTildeInPath
        // A folder that cannot be read offers no candidates.
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [] }
        return names.prefix(10_000).map { name in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder)
            return isFolder.boolValue ? name + "/" : name
        }
    }

    private static func builds(_ template: CompleteWord.TemplateWords) -> [String] {
        // The flag that is completed chooses builds itself.
        var template = template
        (template.only, template.except) = ([], [])
        return plannedBuilds(template).map(\.name)
    }

    private static func plannedBuilds(_ template: CompleteWord.TemplateWords) -> [PlannedBuild] {
        var options = loadOptions(template)
        // A value that is typed only in part sets nothing.
        options.variables = (try? VariableOptions.assignments(template.variables)) ?? []
        options.variableFiles = template.files
        (options.only, options.except) = (template.only, template.except)
        return loadPlan(options).plan.value.builds
    }

    private static func variables(_ template: CompleteWord.TemplateWords) -> [CompletionAnswer.Candidate] {
        declaredVariables(loadOptions(template)).map { variable in
            let meaning = variable.description.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
            return .init(variable.name, meaning.replacing("\t", with: " "))
        }
    }

    private static func stages(_ template: CompleteWord.TemplateWords) -> [CompletionAnswer.Candidate] {
        var seen: Set<String> = []
        return plannedBuilds(template).flatMap(BuildStages.names).filter { seen.insert($0.name).inserted }
            .map { .init($0.name, $0.title) }
    }

    private static func checkpoints() -> [CompletionAnswer.Candidate] {
        // A store that cannot be read offers no candidates.
        let all = (try? CheckpointsCommand.store()?.list()) ?? []
        return all.map { .init(String($0.id.prefix(8)), CheckpointText($0).summary) }
    }

    /// Without a template on the line, the one in the working directory counts.
    private static func loadOptions(_ template: CompleteWord.TemplateWords) -> LoadOptions {
        LoadOptions(
            path: template.path.map { NSString(string: $0).expandingTildeInPath } ?? ".",
            environment: ProcessInfo.processInfo.environment,
            workingDirectory: FileManager.default.currentDirectoryPath, isValidation: true)
    }
}
