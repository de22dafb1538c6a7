import ComponentModel
import Diagnostics
import HCL

extension SecretCollection {
    /// Hides what sensitive variables and locals are declared to be.
    ///
    /// - Parameter files: Of them those that have errors are searched for what the bodies do not hold.
    mutating func hideDeclarations(_ bodies: [Body], in files: [SourceFile], _ diagnostics: [Diagnostic]) {
        for body in bodies {
            for block in body.blocks {
                switch block.type {
                case "variable": hide("default", in: block)
                case "local": hide("expression", in: block)
                default: break
                }
            }
        }
        let broken = Set(diagnostics.filter { $0.severity == .error }.compactMap(\.subject?.file))
        for file in files where broken.contains(file.name) { hide(BrokenFile(file).sensitiveDeclarations) }
    }

    private mutating func hide(_ name: String, in block: Block) {
        guard let flag = block.body.attributes.first(where: { $0.name == "sensitive" }), flag.expression.mayBeTrue,
            let value = block.body.attributes.first(where: { $0.name == name })
        else { return }
        hide(value.expression.textRanges)
    }
}

extension Expression {
    /// Anything but a plain false or null.
    fileprivate var mayBeTrue: Bool {
        switch Evaluation.evaluate(self, .literals).value.optionValue {
        case .bool(false), .null, .string("false"): false
        default: true
        }
    }

    /// All of it but what it refers to by the names that every template knows.
    var textRanges: [SourceRange] {
        let known: Set<String> = ["var", "local", "data", "path", "packer", "source", "build"]
        var ranges: [SourceRange] = []
        var rest = range
        for reference in references where known.contains(reference.path.first ?? "") && reference.path.count > 1 {
            guard reference.range.start >= rest.start, reference.range.end <= rest.end else { continue }
            ranges.append(SourceRange(file: rest.file, start: rest.start, end: reference.range.start))
            rest.start = reference.range.end
        }
        return ranges + [rest]
    }
}

extension Diagnostic {
    /// The same without its reason, where that may quote a secret in another form than it is written in.
    func withheld(if isSensitive: Bool) -> Diagnostic {
        guard isSensitive, id == "hcl/function-error" || id == "hcl/invalid-operand" else { return self }
        var diagnostic = self
        diagnostic.detail = "The reason is not shown, because the value is sensitive."
        return diagnostic
    }
}
