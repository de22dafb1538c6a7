import ComponentModel
import Diagnostics
import GoTemplates
import HCL

/// What an expression can refer to and call.
struct Scope: Sendable {
    var roots: [String: Value]
    var functions: [String: Function]

    /// No values, no functions.
    static let literals = Scope(roots: [:], functions: [:])

    /// For the defaults of variables: only `env`.
    static func defaults(_ environment: [String: String]) -> Scope {
        Scope(roots: [:], functions: ["env": envFunction(environment)])
    }
}

/// The bridge to the language.
enum Evaluation {
    static func evaluate(_ expression: Expression, _ scope: Scope) -> Diagnosed<Value> {
        expression.evaluate(in: EvaluationContext(variables: scope.roots, functions: scope.functions))
    }

    /// What holds everywhere in a template.
    struct Environment: Sendable {
        /// For the conditions of variables: files are relative to the working directory there.
        let validationFunctions: [String: Function]
        /// `path`, `packer` and `data`. What is evaluated for a source has `source` beside them.
        let baseScope: Scope
        private let dataSources: Set<String>
        private let missing: Set<String>
        private let openTypes: Set<String>

        /// - Parameters:
        ///   - dataSources: `TYPE.NAME` of those that are declared.
        ///   - missing: Those of them that are not built in, where needing one is an error.
        init(
            _ options: LoadOptions, root: String, dataSources: Set<String>, missing: Set<String> = [],
            openTypes: Set<String> = []
        ) {
            self.dataSources = dataSources
            self.missing = missing
            self.openTypes = openTypes
            validationFunctions = templateFunctions(options, directory: options.workingDirectory)
            var data: [String: [String: Value]] = [:]
            for key in dataSources {
                let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
                if parts.count == 2 { data[parts[0], default: [:]][parts[1]] = .unknown }
            }
            let roots: [String: Value] = [
                "path": .object(["root": .string(root), "cwd": .string(options.workingDirectory)]),
                "packer": .object([
                    "version": .string(compatibilityVersion), "iterationID": .unknown, "versionFingerprint": .unknown,
                ]),
                "data": .object(data.mapValues(Value.object)),
            ]
            baseScope = Scope(roots: roots, functions: templateFunctions(options, directory: options.absolute(root)))
        }

        /// As `Evaluation.evaluate`, with locals, data sources and `source` looked up first: one that is missing has a message of its own, and
        /// is reported even where `try` would hide it.
        func evaluate(
            _ expression: Expression, _ scope: Scope, locals: some Collection<String>
        ) -> Diagnosed<Value> {
            let problems = expression.references.compactMap { check($0, scope, locals) }
            if !problems.isEmpty { return Diagnosed(.unknown, problems) }
            let result = Evaluation.evaluate(expression, scope)
            guard result.diagnostics.hasErrors else { return result }
            let names = MissingNames(scope: scope, openTypes: openTypes)
            return Diagnosed(.unknown, result.diagnostics.compactMap { names.explain($0, in: expression) })
        }

        private func check(_ reference: Reference, _ scope: Scope, _ locals: some Collection<String>) -> Diagnostic? {
            let path = reference.path
            if reference.isOfSource, scope.roots["source"] == nil {
                return Diagnostic(
                    id: "template/source-not-known", summary: "\(path.joined(separator: ".")) is not known here",
                    detail:
                        "This is evaluated once, for all sources. Use it in a source block, a provisioner or a post-processor, which are evaluated for each source.",
                    subject: reference.range)
            }
            if path.first == "local", path.count > 1, !locals.contains(path[1]) {
                if !openTypes.isDisjoint(with: ["local", "locals"]) { return nil }
                let hint = suggestion(for: path[1], among: locals).map { "Did you mean \"local.\($0)\"?" }
                return Diagnostic(
                    id: "template/unknown-local", summary: "There is no local “\(path[1])”",
                    detail: hint ?? "Declare it in a locals block: \(path[1]) = …", subject: reference.range)
            }
            guard path.first == "data", path.count > 2 else { return nil }
            let key = path[1] + "." + path[2]
            guard dataSources.contains(key) else {
                if openTypes.contains("data") { return nil }
                let hint = suggestion(for: key, among: dataSources).map { "Did you mean \"data.\($0)\"?" }
                return Diagnostic(
                    id: "template/unknown-data-source", summary: "There is no data source “\(key)”",
                    detail: hint ?? "Declare it with data \"\(path[1])\" \"\(path[2])\" { … }.",
                    subject: reference.range)
            }
            guard missing.contains(key) else { return nil }
            return Diagnostic(
                id: "template/data-source-not-built-in",
                summary: "The data source \"\(path[1])\" is not built into Ingot yet",
                detail: "Give the value by a variable instead.", subject: reference.range)
        }
    }
}

extension HCLType {
    /// Values written as text stay text for it.
    var isText: Bool { self == .string || self == .number || self == .any }
}

extension Value {
    var isUnknown: Bool { !isKnown }

    /// `source`, where it is open which source it will be.
    static let unknownSource = Value.object(["type": .unknown, "name": .unknown])

    static func integer(_ value: Int) -> Value { .number(Number(value)) }

    var optionValue: OptionValue {
        switch self {
        case .null: .null
        case .unknown: .unknown
        case .string(let text): .string(text)
        case .number(let number): .number(number.text)
        case .bool(let flag): .bool(flag)
        case .list(let values), .set(let values), .tuple(let values): .list(values.map(\.optionValue))
        case .map(let values), .object(let values):
            .map(values.sorted { $0.key < $1.key }.map { OptionValue.Entry(key: $0.key, value: $0.value.optionValue) })
        case .sensitive(let value): value.optionValue
        }
    }

    /// The type that a variable without a declared one takes from its default; nil where it stays open.
    var inferredVariableType: HCLType? {
        switch self {
        case .null, .unknown: nil
        case .sensitive(let value): value.inferredVariableType
        case .list(let values), .set(let values), .tuple(let values): values.isEmpty ? nil : type
        case .map(let values), .object(let values): values.isEmpty ? nil : type
        default: type
        }
    }
}

extension Reference {
    /// Whether it asks for `source.name`, `source.type` or both; `source.TYPE.NAME` is meant as text.
    var isOfSource: Bool { path.first == "source" && (path.count == 1 || ["name", "type"].contains(path[1])) }
}

extension Expression {
    /// A bare word.
    var keyword: String? {
        if case .variable(let name) = kind { return name }
        return nil
    }

    /// Of the elements of a written list; empty for anything else.
    var elementRanges: [SourceRange] {
        if case .tuple(let elements) = kind { return elements.map(\.range) }
        return []
    }
}

extension SecretCollection {
    /// Every text in the value, however deep. Numbers and bools are not secrets.
    mutating func insert(_ value: Value) {
        switch value {
        case .string(let text): insert(text)
        case .list(let values), .set(let values), .tuple(let values): for value in values { insert(value) }
        case .map(let values), .object(let values): for value in values.values { insert(value) }
        case .sensitive(let value): insert(value)
        default: break
        }
    }
}
