package import ComponentModel
package import Diagnostics
package import FoundationEssentials
package import HCL

/// What to load, and the values and selections of the command line.
package struct LoadOptions: Sendable {
    /// A directory or a file, as written: relative to `workingDirectory`.
    package var path: String
    /// `-var NAME=VALUE` in order.
    package var variables: [(name: String, value: String)]
    /// `-var-file` in order.
    package var variableFiles: [String]
    package var environment: [String: String]
    /// Globs over build names; empty for all.
    package var only: [String]
    package var except: [String]
    /// Absolute.
    package var workingDirectory: String
    /// `-force`.
    package var force: Bool
    /// What `timestamp` in Go templates and `legacy_isotime` give.
    package var startTime: Date
    /// `validate`: data sources are unknown instead of needed, and components that are not built in are warnings.
    package var isValidation: Bool
    /// Variables of a variable file that no template declares are worth a warning.
    package var warnsOnUndeclared: Bool
    /// The content of the path `-`.
    package var standardInput: [UInt8]?
    package var fileSystem: any TemplateFileSystem
    /// Answers `vault` and similar functions; nil makes them errors.
    package var secretStores: (any SecretStores)?

    package init(
        path: String, variables: [(name: String, value: String)] = [], variableFiles: [String] = [],
        environment: [String: String] = [:], only: [String] = [], except: [String] = [], workingDirectory: String,
        force: Bool = false, startTime: Date = Date(), isValidation: Bool = false, warnsOnUndeclared: Bool = false,
        standardInput: [UInt8]? = nil, fileSystem: any TemplateFileSystem = RealFileSystem(),
        secretStores: (any SecretStores)? = nil
    ) {
        self.path = path
        self.variables = variables
        self.variableFiles = variableFiles
        self.environment = environment
        self.only = only
        self.except = except
        self.workingDirectory = workingDirectory
        self.force = force
        self.startTime = startTime
        self.isValidation = isValidation
        self.warnsOnUndeclared = warnsOnUndeclared
        self.standardInput = standardInput
        self.fileSystem = fileSystem
        self.secretStores = secretStores
    }
}

/// What came of loading: the plan with all there is to say about the template, and the files that diagnostics point into.
package struct LoadedPlan: Sendable {
    package var plan: Diagnosed<Plan>
    package var files: [SourceFile]

    package init(plan: Diagnosed<Plan>, files: [SourceFile]) {
        self.plan = plan
        self.files = files
    }
}
