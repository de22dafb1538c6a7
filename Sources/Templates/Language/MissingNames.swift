import Diagnostics
import HCL

/// What the language says of names that do not exist, said in the words of templates.
///
/// Only errors that evaluation came to are rewritten, so what `try` and `can` swallow stays swallowed.
struct MissingNames {
    let scope: Scope
    /// Types of blocks some of which could not be read: what they declare is missing only because of that.
    let openTypes: Set<String>

    /// nil for what follows from a mistake that is reported elsewhere.
    func explain(_ problem: Diagnostic, in expression: Expression) -> Diagnostic? {
        guard problem.id == "hcl/unknown-variable" || problem.id == "hcl/unsupported-attribute",
            let place = problem.subject,
            let reference = expression.references.first(where: {
                $0.range.file == place.file && $0.range.start <= place.start && place.end <= $0.range.end
            }), let root = reference.path.first
        else { return problem }
        if problem.id == "hcl/unknown-variable" {
            if root == "source", reference.path.count == 3 { return Self.unquoted(reference) }
            guard reference.range.start == place.start, scope.roots[root] == nil else { return problem }
            return unknown(root, reference, in: expression, place)
        }
        guard reference.path.count > 1 else { return problem }
        let name = reference.path[1]
        switch root {
        case "var" where !declared("var").contains(name):
            if !openTypes.isDisjoint(with: ["variable", "variables"]) { return nil }
            return variable(name, at: reference)
        case "local" where !openTypes.isDisjoint(with: ["local", "locals"]): return nil
        case "source" where reference.path.count == 3: return Self.unquoted(reference)
        default: return problem
        }
    }

    private static func unquoted(_ reference: Reference) -> Diagnostic {
        Diagnostic(
            id: "template/unquoted-source", summary: "A reference to a source is written as text",
            detail: "Put it in double quotes: \"\(reference.path.joined(separator: "."))\".", subject: reference.range)
    }

    /// The names in an object such as `var`.
    private func declared(_ root: String) -> [String] {
        if case .object(let values)? = scope.roots[root] { return values.keys.sorted() }
        return []
    }

    private func variable(_ name: String, at reference: Reference) -> Diagnostic {
        let known = declared("var")
        let hint = suggestion(for: name, among: known).map { "Did you mean \"var.\($0)\"?" }
        return Diagnostic(
            id: "template/unknown-variable", summary: "There is no variable “\(name)”",
            detail: hint
                ?? "Declare it with variable \"\(name)\" { }"
                + (known.isEmpty || known.count > 12 ? "." : "; declared are: \(known.joined(separator: ", "))."),
            subject: reference.range)
    }

    private func unknown(
        _ root: String, _ reference: Reference, in expression: Expression, _ place: SourceRange
    ) -> Diagnostic {
        var detail: String
        switch root {
        case "locals": detail = "A local is read as local.NAME, without an s."
        case "variable", "variables", "vars": detail = "A variable is read as var.NAME."
        case "env": detail = "The environment is read in the default of a variable: env(\"NAME\")."
        case "count", "module", "terraform", "self":
            detail = "It belongs to Terraform, not to Packer. Values of the template are var.NAME and local.NAME."
        case "True", "TRUE", "yes", "Yes", "on": detail = "Did you mean true?"
        case "False", "FALSE", "no", "No", "off": detail = "Did you mean false?"
        case "None", "nil", "NULL", "Null": detail = "Did you mean null?"
        case "build": detail = "Only provisioners and post-processors know the build."
        case "each":
            detail =
                "Inside a dynamic block the element is NAME.value, where NAME is the label of the block or its iterator."
        default:
            let isMember = reference.path.count > 1
            let hint = suggestion(for: root, among: scope.roots.keys).map { "Did you mean \"\($0)\"?" }
            detail = hint ?? "Values of the template are var.NAME and local.NAME."
            if hint == nil, !isMember {
                if let known = owner(of: root) {
                    detail = "Did you mean \"\(known)\"?"
                } else if case .template = Self.part(of: expression, around: place).kind {
                    detail += " To keep it for a shell write $${\(root)}."
                } else {
                    detail += " Text is put in double quotes: \"\(root)\"."
                }
            }
        }
        return Diagnostic(
            id: "template/unknown-name", summary: "There is nothing called “\(root)” here", detail: detail,
            subject: place)
    }

    /// The element of lists and objects that are written out.
    private static func part(of expression: Expression, around place: SourceRange) -> Expression {
        var current = expression
        while true {
            var parts: [Expression] = []
            switch current.kind {
            case .tuple(let elements): parts = elements
            case .object(let items): parts = items.map(\.value)
            default: break
            }
            guard let next = parts.first(where: { $0.range.start <= place.start && place.end <= $0.range.end })
            else { return current }
            current = next
        }
    }

    /// `var.NAME` or `local.NAME` for a name written without the word before it.
    private func owner(of name: String) -> String? {
        ["var", "local"].first { declared($0).contains(name) }.map { "\($0).\(name)" }
    }
}
