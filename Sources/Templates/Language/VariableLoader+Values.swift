import ComponentModel
import Diagnostics
import HCL

extension VariableLoader {
    /// Gives the variables their values: environment, automatic files, `-var-file`, `-var`; the last wins.
    mutating func assignValues(automaticFiles: [String]) {
        readEnvironment()
        for path in automaticFiles { readFile(path) }
        for path in options.variableFiles { readFile(path) }
        for (name, value) in options.variables { readArgument(name, value) }
    }

    private mutating func readEnvironment() {
        for name in names {
            guard let text = options.environment["PKR_VAR_" + name], var variable = variables[name] else { continue }
            readText(&variable, text, source: "PKR_VAR_\(name)")
            variables[name] = variable
        }
    }

    private mutating func readArgument(_ name: String, _ text: String) {
        guard var variable = variables[name] else {
            let hint = suggestion(for: name, among: names).map { "Did you mean -var '\($0)=…'?" }
            diagnostics.append(
                Diagnostic(
                    id: "template/undefined-variable", summary: "-var sets “\(name)”, which no variable block declares",
                    detail: hint ?? "Declare it with variable \"\(name)\" { }, or remove the option."))
            return
        }
        readText(&variable, text, source: "-var \(name)")
        variables[name] = variable
    }

    /// Text stays text for variables of type string, number or none; of another type it is an expression.
    private mutating func readText(_ variable: inout Variable, _ text: String, source: String) {
        // The text of a secret must not be drawn, so its diagnostics have no place.
        let file = SourceFile(name: source, text: text)
        if !variable.isSensitive { files.append(file) }
        let range = variable.isSensitive ? nil : SourceRange(file: source, start: 0, end: text.utf8.count)
        var value = Value.string(text)
        if let type = variable.effectiveType, !type.isText {
            let parsed = parseExpression(file)
            var problems = parsed.diagnostics
            if !problems.hasErrors {
                let result = Evaluation.evaluate(parsed.value, .literals)
                value = result.value
                problems += result.diagnostics
            }
            if problems.hasErrors {
                if variable.isSensitive {
                    diagnostics.append(
                        Diagnostic(
                            id: "template/invalid-value", summary: "The value of \(source) cannot be read",
                            detail: "It must be written as an HCL expression of type \(type.name)"
                                + (type.sample.map { ", such as \($0)." } ?? ".")))
                } else {
                    diagnostics += problems.map { problem in
                        var problem = problem
                        problem.detail +=
                            (problem.detail.isEmpty ? "" : " ")
                            + "The variable is declared as \(type.name), so the value is read as an HCL expression"
                            + (type.sample.map { ", such as \($0)." } ?? ".")
                        return problem
                    }
                }
                variable.value = .unknown
                return
            }
        }
        assign(&variable, value, at: range, source: source)
    }

    private mutating func readFile(_ path: String) {
        let isPipe = RealFileSystem.isPassed(path)
        guard path.hasSuffix(".hcl") || path.hasSuffix(".json") || isPipe else {
            diagnostics.append(
                Diagnostic(
                    id: "template/variable-file",
                    summary: "The variable file “\(path)” ends neither in .hcl nor in .json",
                    detail: "Its format is recognised by its extension; rename it."))
            return
        }
        let file: SourceFile
        switch options.source(path) {
        case .success(let source): file = source
        case .failure(let error):
            diagnostics += error.diagnostics
            lacksValues = true
            return
        }
        files.append(file)
        if path.hasSuffix(".json") || isPipe && file.startsWithBrace { return readJSON(file) }
        let parsed = HCL.parse(file)
        diagnostics += parsed.diagnostics
        if parsed.diagnostics.hasErrors { hideSecrets(inBroken: file) }
        for block in parsed.value.blocks {
            diagnostics.append(
                Diagnostic(
                    id: "template/variable-file", summary: "A variable file cannot contain a \(block.type) block",
                    detail: block.type == "variable"
                        ? "It gives values, NAME = …; variables are declared in a *.pkr.hcl file."
                        : "It gives values of variables, NAME = …", subject: block.headerRange))
        }
        for attribute in parsed.value.attributes {
            readEntry(attribute.name, attribute.nameRange, attribute.expression, file: path)
        }
    }

    /// JSON is read as an object of the language, whose syntax covers it.
    private mutating func readJSON(_ file: SourceFile) {
        let parsed = parseExpression(file)
        diagnostics += parsed.diagnostics
        guard !parsed.diagnostics.hasErrors else { return hideSecrets(inBroken: file) }
        guard case .object(let items) = parsed.value.kind else {
            hideSecrets(inBroken: file)
            diagnostics.append(
                Diagnostic(
                    id: "template/variable-file", summary: "A variable file in JSON is one object",
                    detail: "Write { \"NAME\": VALUE, … }.", subject: parsed.value.range))
            return
        }
        for item in items {
            guard let name = Evaluation.evaluate(item.key, .literals).value.stringValue else { continue }
            readEntry(name, item.key.range, item.value, file: file.name)
        }
    }

    private mutating func readEntry(
        _ name: String, _ nameRange: SourceRange, _ expression: Expression, file: String
    ) {
        if !isShown(name) { secrets.hide(expression.range) }
        guard var variable = variables[name] else {
            if options.warnsOnUndeclared {
                let hint = suggestion(for: name, among: names).map { "Did you mean \"\($0)\"? " } ?? ""
                diagnostics.append(
                    Diagnostic(
                        id: "template/undefined-variable", severity: .warning,
                        summary: "“\(name)” is set here, but no variable block declares it",
                        detail: hint + "Declare it with variable \"\(name)\" { }, or remove the line.",
                        subject: nameRange))
            }
            return
        }
        let result = Evaluation.evaluate(expression, .literals)
        diagnostics += result.diagnostics.map { problem in
            guard problem.id == "hcl/unknown-variable" || problem.id == "hcl/unknown-function" else {
                return problem.withheld(if: variable.isSensitive)
            }
            var problem = problem
            problem.summary = "A variable file holds plain values"
            problem.detail =
                "What is computed belongs in locals { … } in a *.pkr.hcl file. Text is put in double quotes."
            return problem
        }
        if result.diagnostics.hasErrors {
            variable.value = .unknown
        } else {
            assign(&variable, result.value, at: expression.range, source: file)
        }
        variables[name] = variable
    }

    /// A name that is not declared may be a secret's, misspelt.
    private func isShown(_ name: String) -> Bool {
        variables[name].map { !$0.isSensitive } ?? !variables.values.contains(where: \.isSensitive)
    }

    private mutating func hideSecrets(inBroken file: SourceFile) {
        lacksValues = true
        let names = variables.values.filter(\.isSensitive).map(\.name)
        guard !names.isEmpty else { return }
        secrets.hide(BrokenFile(file).values(visible: isShown, secrets: names))
    }

    mutating func assign(_ variable: inout Variable, _ value: Value, at range: SourceRange?, source: String) {
        // Registered even if it turns out wrong: the messages about it may quote it.
        if variable.isSensitive { secrets.insert(value) }
        variable.valueRange = range
        guard let type = variable.effectiveType else {
            variable.value = value
            return
        }
        switch value.converted(to: type) {
        case .success(let converted): variable.value = converted
        case .failure(let problem):
            variable.value = .unknown
            diagnostics.append(
                Diagnostic(
                    id: "template/wrong-type", summary: "The value of var.\(variable.name) is of the wrong type",
                    detail:
                        "\(source == "default" ? "The default" : source) does not fit \(type.name.count > 60 ? "the declared type" : type.name): \(problem.description)."
                        + (type.sample.map { " Write it like \($0)." } ?? ""),
                    // A secret's own text is not drawn.
                    subject: variable.isSensitive ? variable.header : range,
                    notes: range == nil || variable.isSensitive
                        ? [] : [Diagnostic.Note("declared here", at: variable.header)]))
        }
    }

    // MARK: Checks

    /// Reports variables without a value and values that fail their validation. Call after every value is assigned.
    mutating func check(_ environment: Evaluation.Environment) {
        for name in names {
            guard let variable = variables[name] else { continue }
            guard let value = variable.value else {
                variables[name]?.value = .unknown
                if lacksValues { continue }
                diagnostics.append(
                    Diagnostic(
                        id: "template/unset-variable", summary: "The variable “\(name)” has no value",
                        detail: "Pass -var '\(name)=…' or -var-file, set PKR_VAR_\(name), or give it a default.",
                        subject: variable.header))
                continue
            }
            if variable.isSensitive { secrets.insert(value) }
            guard value.isWhollyKnown else { continue }
            for validation in variable.validations { check(variable, value, validation, environment) }
        }
    }

    private mutating func check(
        _ variable: Variable, _ value: Value, _ validation: Variable.Validation, _ environment: Evaluation.Environment
    ) {
        let scope = Scope(roots: ["var": .object([variable.name: value])], functions: environment.validationFunctions)
        let result = Evaluation.evaluate(validation.condition, scope)
        diagnostics += result.diagnostics
        guard !result.diagnostics.hasErrors else { return }
        switch result.value.optionValue {
        case .bool(true), .string("true"): break
        case .bool(false), .string("false"):
            // What is made of it would be wrong too; that is one mistake.
            variables[variable.name]?.value = .unknown
            var notes = [Diagnostic.Note("this condition is false", at: validation.condition.range)]
            // A secret's own text is not drawn.
            let subject = variable.isSensitive ? variable.header : variable.valueRange ?? variable.header
            if subject != variable.header { notes.append(Diagnostic.Note("declared here", at: variable.header)) }
            diagnostics.append(
                Diagnostic(
                    id: "template/validation", summary: "The value of var.\(variable.name) is not allowed",
                    detail: validation.message, subject: subject, notes: notes))
        default:
            diagnostics.append(
                Diagnostic(
                    id: "template/validation", summary: "The condition of a validation must be true or false",
                    subject: validation.condition.range))
        }
    }
}

extension HCLType {
    /// How a value of it may be written; nil where the type's own name says as much.
    fileprivate var sample: String? {
        switch self {
        case .list(.string), .set(.string): "[\"a\", \"b\"]"
        case .list(.number), .set(.number): "[1, 2]"
        case .map(.string): "{ a = \"b\" }"
        case .bool: "true"
        default: nil
        }
    }
}

extension Variable {
    /// The declared type, else the one of the default; nil if neither says.
    fileprivate var effectiveType: HCLType? { type ?? defaultType }
}
