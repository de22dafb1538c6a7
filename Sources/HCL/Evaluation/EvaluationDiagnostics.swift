import Diagnostics

/// What can be wrong with a value, one function for each message.
extension Diagnostic {
    private static func evaluation(_ id: String, _ summary: String, _ detail: String, _ range: SourceRange)
        -> Diagnostic
    {
        Diagnostic(id: "hcl/" + id, summary: summary, detail: detail, subject: range)
    }

    static func attributeOfNull(at range: SourceRange) -> Self {
        evaluation(
            "attribute-of-null", "Attempt to get attribute from null value",
            "This value is null, so it does not have any attributes.", range)
    }
    static func attributeOfOther(_ name: String, _ kind: String, at range: SourceRange) -> Self {
        evaluation(
            "unsupported-attribute", "Unsupported attribute", "This is \(kind), which has no attribute \"\(name)\".",
            range)
    }
    static func conditionalType(_ kind: String, at range: SourceRange) -> Self {
        evaluation(
            "incorrect-condition", "Incorrect condition type", "A condition must be true or false, not \(kind).", range)
    }
    static func divisionByZero(at range: SourceRange) -> Self {
        evaluation("division-by-zero", "Division by zero", "The right side is zero.", range)
    }
    static func duplicateObjectKey(_ key: String, at range: SourceRange) -> Self {
        evaluation(
            "duplicate-key", "Duplicate object key",
            "Two members give the key \"\(key)\". In a for expression, ... after the value gathers them in lists.",
            range)
    }
    static func functionError(_ name: String, _ message: String, at range: SourceRange) -> Self {
        evaluation(
            "function-error", "Error in function call", "Call to function \"\(name)\" failed: \(message)".endingInStop,
            range)
    }
    static func inconsistentConditional(_ a: String, _ b: String, at range: SourceRange) -> Self {
        evaluation(
            "inconsistent-conditional", "Inconsistent conditional result types",
            "Both results must be of one type, but they are \(a) and \(b).", range)
    }
    static func interrupted(at range: SourceRange) -> Self {
        evaluation("interrupted", "Interrupted", "Evaluation was given up before its end.", range)
    }
    static func invalidExpansion(_ kind: String, at range: SourceRange) -> Self {
        evaluation(
            "invalid-expansion", "Invalid expanding argument value",
            "What comes before ... must be a list, not \(kind).", range)
    }
    static func invalidForCollection(_ kind: String, at range: SourceRange) -> Self {
        evaluation(
            "invalid-for-collection", "Iteration over non-iterable value",
            "For goes through a list, set, map or object, not \(kind).", range)
    }
    static func invalidIndex(_ reason: String, at range: SourceRange) -> Self {
        evaluation(
            "invalid-index", "Invalid index",
            (reason.prefix(1).uppercased() + reason.dropFirst()).endingInStop, range)
    }
    static func invalidObjectKey(_ kind: String, at range: SourceRange) -> Self {
        evaluation("invalid-key", "Incorrect key type", "A key must be a string, not \(kind).", range)
    }
    static func invalidOperand(_ reason: String, at range: SourceRange) -> Self {
        evaluation(
            "invalid-operand", "Invalid operand", "Unsuitable value for the operator: \(reason)".endingInStop, range)
    }
    static func invalidTemplateValue(_ kind: String, isNull: Bool, at range: SourceRange) -> Self {
        evaluation(
            "invalid-template-value", "Invalid template interpolation value",
            isNull
                ? "The value is null, which cannot be put into text."
                : "The value is \(kind), which cannot be put into text. join(\", \", LIST) or jsonencode(VALUE) makes text of it.",
            range)
    }
    static func invalidType(_ detail: String, at range: SourceRange) -> Self {
        evaluation("invalid-type", "Invalid type specification", detail, range)
    }
    static func logicalType(_ kind: String, at range: SourceRange) -> Self {
        evaluation(
            "invalid-operand", "Invalid operand", "Unsuitable value for the operator: a bool is required, not \(kind).",
            range)
    }
    static func tooManyIterations(at range: SourceRange) -> Self {
        evaluation(
            "too-many-iterations", "Too many iterations",
            "Loops of one expression go through at most 250000 members.", range)
    }
    static func tooMuchText(at range: SourceRange) -> Self {
        evaluation("too-much-text", "Too much text", "One expression makes at most 64 MiB of text.", range)
    }
    /// What to write instead of functions that people know from elsewhere.
    private static let otherWays = [
        "user": "A variable is read as var.NAME.", "uuid": "Write uuidv4().",
        "isotime": "Write formatdate(\"YYYY-MM-DD\", timestamp()).",
        "tostring": "Write convert(VALUE, string).", "tonumber": "Write convert(VALUE, number).",
        "tobool": "Write convert(VALUE, bool).", "tolist": "Write convert(VALUE, list(any)).",
        "toset": "Write convert(VALUE, set(any)).", "tomap": "Write convert(VALUE, map(any)).",
    ]

    static func unknownFunction(_ name: String, known: [String], at range: SourceRange) -> Self {
        if name == "env" {
            return evaluation(
                "unknown-function", "Call to unknown function",
                "env may be called in the default of a variable alone: variable \"x\" { default = env(\"NAME\") }.",
                range)
        }
        let hint =
            otherWays[name].map { " " + $0 }
            ?? suggestion(for: name, among: known).map { " Did you mean \"\($0)\"?" } ?? ""
        return evaluation(
            "unknown-function", "Call to unknown function", "There is no function named \"\(name)\".\(hint)", range)
    }
    static func unknownVariable(_ name: String, known: [String], at range: SourceRange) -> Self {
        let hint =
            suggestion(for: name, among: known).map { "Did you mean \"\($0)\"?" }
            ?? (known.isEmpty ? "Variables may not be used here." : "There is no variable named \"\(name)\".")
        return evaluation("unknown-variable", "Unknown variable", hint, range)
    }
    static func unsupportedAttribute(
        _ name: String, of path: String, known: [String], isMap: Bool, at range: SourceRange
    ) -> Self {
        let place = path.isEmpty ? "This object" : path
        let hint =
            suggestion(for: name, among: known).map { " Did you mean \"\($0)\"?" }
            ?? (known.isEmpty || known.count > 12 ? "" : " It has: \(known.joined(separator: ", ")).")
        return evaluation(
            "unsupported-attribute", "Unsupported attribute",
            "\(place) has no \(isMap ? "element" : "attribute") named \"\(name)\".\(hint)", range)
    }
    static func wrongArgumentCount(_ name: String, _ arity: String, given: Int, at range: SourceRange) -> Self {
        evaluation(
            "wrong-argument-count", "Wrong number of function arguments",
            "Function \"\(name)\" takes \(arity) \(arity == "1" ? "argument" : "arguments"), not \(given).", range)
    }
}
