package import Foundation
import GoTemplates
import Scopes
import Templates

/// What all builds of one run share: where paths start, what time it is, which run this is.
package struct RunContext: Sendable {
    /// Relative paths of the template's options start here.
    package var workingDirectory: String
    /// The folder of the template.
    package var templateDirectory: String
    /// The template's file or folder, absolute: what checkpoints are said to belong to.
    package var templatePath: String
    /// `PACKER_RUN_UUID`.
    package var runUUID: String
    package var startTime: Date
    package var force: Bool
    package var environment: [String: String]
    /// The build whose options are rendered.
    var build: PlannedBuild?

    package init(
        workingDirectory: String, templateDirectory: String, templatePath: String, runUUID: String, startTime: Date,
        force: Bool,
        environment: [String: String]
    ) {
        self.workingDirectory = workingDirectory
        self.templateDirectory = templateDirectory
        self.templatePath = templatePath
        self.runUUID = runUUID
        self.startTime = startTime
        self.force = force
        self.environment = environment
    }

    /// The folder for files that are not needed afterwards.
    var temporaryFolder: String { environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp" }

    /// An option's path made absolute.
    package func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        if path == "~" || path.hasPrefix("~/"), let home = environment["HOME"] { return home + path.dropFirst() }
        return path == "." || path.isEmpty ? workingDirectory : workingDirectory + "/" + path
    }

    /// A path as people know it: relative to the working directory where it lies in there.
    func shown(_ path: String) -> String {
        path.hasPrefix(workingDirectory + "/") ? String(path.dropFirst(workingDirectory.count + 1)) : path
    }

    /// Renders an option that is filled in late, such as `execute_command`.
    ///
    /// - Throws: `BuildError` with the place and the reason.
    package func render(_ text: String, data: [String: String]) throws -> String {
        do {
            if let build { return try build.render(text, data: data) }
            let template = TemplateContext(workingDirectory: workingDirectory, startTime: startTime)
            return try renderTemplate(text, data: data, context: template)
        } catch {
            throw BuildError("render “\(text.prefix(80))”", because: "\(error)")
        }
    }
}
