import BootCommand
package import Diagnostics
package import GoTemplates

/// Checks a component's options against its table, converts and renders them, and hands them out by name.
///
/// All that is wrong is collected. An option that is wrong or unknown counts as given and yields nil, so that one mistake is reported once.
package struct OptionReader {
    package let header: SourceRange?
    /// For messages: `source "qemu"`, `provisioner "shell"`.
    package let component: String
    package private(set) var diagnostics: [Diagnostic] = []

    private let context: TemplateContext
    private let syntax: OptionBody.Syntax
    private var values: [String: OptionValue] = [:]
    private var ranges: [String: SourceRange] = [:]
    private var elementRanges: [String: [SourceRange]] = [:]
    /// Given, but wrong or not known yet.
    private var undecided: Set<String> = []
    private var blocks: [String: [OptionReader]] = [:]
    private let table: [String: Option]

    package init(_ body: OptionBody, _ specs: [Option], component: String, context: TemplateContext) {
        header = body.header
        self.component = component
        self.context = context
        syntax = body.syntax
        table = Dictionary(specs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for option in body.options {
            guard let spec = table[option.name] else {
                reportUnknown(option.name, at: option.nameRange, specs)
                continue
            }
            read(option, spec)
        }
        for block in body.blocks { read(block, table[block.name], specs) }
        for spec in specs where spec.isRequired && !isUndecided(spec.name) && isEmpty(spec.name) {
            missing(spec.name, spec.meaning)
        }
    }

    // MARK: Asking

    /// Written in the template, with a value that is not null.
    package func isGiven(_ name: String) -> Bool {
        values[name] != nil || undecided.contains(name) || blocks[name] != nil
    }

    /// Not written, or the empty text or list.
    private func isEmpty(_ name: String) -> Bool {
        switch values[name] {
        case nil, .string(""): blocks[name] == nil
        case .list(let elements): elements.first ?? .string("") == .string("")
        default: false
        }
    }

    /// What the option, or each of its elements, can be.
    package func choices(of name: String) -> [String] { table[name]?.choices ?? [] }

    package func isUndecided(_ name: String) -> Bool { undecided.contains(name) }

    /// The value's place; the header if it is not written.
    package func range(_ name: String) -> SourceRange? { ranges[name] ?? header }

    /// The place of one element of a list, or of the whole value where its elements have none.
    private func range(_ name: String, _ element: Int?) -> SourceRange? {
        guard let element, let places = elementRanges[name], places.indices.contains(element),
            case .list(let list)? = values[name], list.count == places.count
        else { return range(name) }
        return places[element]
    }

    package func string(_ name: String) -> String? {
        if case .string(let text)? = values[name] { return text }
        return nil
    }

    /// As `string`, with the empty text as nil.
    package func text(_ name: String) -> String? { string(name).flatMap { $0.isEmpty ? nil : $0 } }

    package func bool(_ name: String) -> Bool {
        if case .bool(let flag)? = values[name] { return flag }
        return false
    }

    package func int(_ name: String) -> Int? {
        if case .number(let digits)? = values[name] { return Int(digits) }
        return nil
    }

    /// nil for the empty text too, as Packer takes it.
    package func duration(_ name: String) -> Duration? { text(name).flatMap(parseGoDuration) }

    package func strings(_ name: String) -> [String] {
        if case .list(let values)? = values[name] { return values.map(Self.plain) }
        return []
    }

    package func ints(_ name: String) -> [Int] {
        strings(name).compactMap { Int($0) }
    }

    package func rows(_ name: String) -> [[String]] {
        guard case .list(let rows)? = values[name] else { return [] }
        return rows.map { row in
            if case .list(let values) = row { return values.map(Self.plain) }
            return []
        }
    }

    package func map(_ name: String) -> [String: String] {
        guard case .map(let entries)? = values[name] else { return [:] }
        return Dictionary(entries.map { ($0.key, Self.plain($0.value)) }, uniquingKeysWith: { _, last in last })
    }

    package func block(_ name: String) -> OptionReader? { blocks[name]?.first }

    /// Decodes a block that may be given once; nil where it is not written.
    package mutating func decode<Value>(block name: String, _ body: (inout OptionReader) -> Value) -> Value? {
        guard let written = blocks[name], var reader = written.first else { return nil }
        if written.count > 1 {
            error("duplicate-block", "\(name) is given twice", "Write all of it into one block.", at: name)
        }
        let known = reader.diagnostics.count
        let value = body(&reader)
        diagnostics += reader.diagnostics.dropFirst(known)
        return value
    }

    /// Every block of a name.
    package func blocks(_ name: String) -> [OptionReader] { blocks[name] ?? [] }

    /// Reads in each block of a name; what is found wrong there is said with the rest.
    package mutating func inBlocks<Value>(_ name: String, _ body: (inout OptionReader, Int) -> Value) -> [Value] {
        blocks(name).enumerated().map { index, block in
            var block = block
            let known = block.diagnostics.count
            defer { diagnostics += block.diagnostics.dropFirst(known) }
            return body(&block, index)
        }
    }

    private static func plain(_ value: OptionValue) -> String {
        switch value {
        case .string(let text), .number(let text): text
        default: ""
        }
    }

    // MARK: Complaining

    package mutating func error(
        _ id: String, _ summary: String, _ detail: String = "", at name: String? = nil, element: Int? = nil,
        notes: [Diagnostic.Note] = []
    ) {
        diagnostics.append(
            Diagnostic(
                id: "template/" + id, summary: summary, detail: detail,
                subject: name.map { range($0, element) } ?? header,
                notes: notes))
    }

    /// At one of several blocks of a name.
    package mutating func error(_ id: String, _ summary: String, _ detail: String, in name: String, block: Int) {
        let place = blocks(name).indices.contains(block) ? blocks(name)[block].header : nil
        diagnostics.append(
            Diagnostic(id: "template/" + id, summary: summary, detail: detail, subject: place ?? range(name)))
    }

    /// What another reader of the same component found.
    package mutating func absorb(_ more: [Diagnostic]) { diagnostics += more }

    package mutating func warning(
        _ id: String, _ summary: String, _ detail: String = "", at name: String? = nil, element: Int? = nil
    ) {
        diagnostics.append(
            Diagnostic(
                id: "template/" + id, severity: .warning, summary: summary, detail: detail,
                subject: name.map { range($0, element) } ?? header))
    }

    // MARK: Reading

    /// Where blocks belong that are not options.
    private static let places = [
        "provisioner": "Provisioners belong in the build block.",
        "post-processor": "Post-processors belong in the build block.",
        "post-processors": "Post-processors belong in the build block.",
        "sources": "A build block names its sources.",
    ]

    private mutating func reportUnknown(_ name: String, at range: SourceRange?, _ specs: [Option]) {
        let known = specs.filter { if case .gone = $0.status { false } else { true } }.map(\.name)
        // `username` is part of `ssh_username`.
        let similar = specs.filter { if case .acted = $0.status { $0.name.hasSuffix("_" + name) } else { false } }.map(
            \.name)
        let hint =
            suggestion(for: name, among: known).map { "Did you mean \"\($0)\"?" }
            ?? ((1...6).contains(similar.count) ? "Did you mean \(similar.joined(separator: " or "))?" : nil)
        diagnostics.append(
            Diagnostic(
                id: "template/unsupported-argument", summary: "\(component) has no option \"\(name)\"",
                detail: hint ?? Self.places[name]
                    ?? (known.count <= 14
                        ? "It takes: " + known.joined(separator: ", ") + "."
                        : "Remove it, or look for its name in the documentation of \(component)."),
                subject: range)
        )
    }

    private mutating func read(_ option: OptionBody.Option, _ spec: Option) {
        if case .null = option.value { return }
        ranges[option.name] = option.valueRange ?? option.nameRange
        elementRanges[option.name] = option.elementRanges
        if case .block = spec.kind {
            diagnostics.append(
                Diagnostic(
                    id: "template/unsupported-argument", summary: "\(option.name) is a block",
                    detail: "Write it without the equals sign: \(option.name) { … }.", subject: option.nameRange))
            undecided.insert(option.name)
            return
        }
        switch spec.status {
        case .acted, .inert: break
        case .notYet:
            diagnostics.append(
                Diagnostic(
                    id: "template/option-not-acted-on", severity: .warning,
                    summary: "\(option.name) has no effect yet",
                    detail: "Packer knows this option; Ingot does not act on it.",
                    subject: option.nameRange))
        case .renamed(let new):
            diagnostics.append(
                Diagnostic(
                    id: "template/renamed-option", severity: .warning,
                    summary: "\(option.name) is an old name of \(new)", detail: "Write \(new) instead.",
                    subject: option.nameRange))
        case .gone(let advice):
            diagnostics.append(
                Diagnostic(
                    id: "template/removed-option", summary: "\(option.name) is no longer an option", detail: advice,
                    subject: option.nameRange))
            undecided.insert(option.name)
            return
        }
        if option.value.isUnknown {
            undecided.insert(option.name)
            return
        }
        do throws(OptionConversion.Problem) {
            if syntax == .json {
                values[option.name] = try WeakConversion.convert(option.value, to: spec.kind)
                warnOfWeakness(option, spec)
            } else {
                let converted = try OptionConversion.convert(option.value, to: spec.kind)
                values[option.name] = try render(converted, isLate: spec.isLate, name: option.name)
            }
        } catch let problem {
            undecided.insert(option.name)
            let isSize = option.name == "memory" && problem.id == "wrong-type" && !option.value.isQuotedReference
            error(
                problem.id, "\(option.name) \(problem.message)",
                isSize ? "It counts MiB: 2048 is 2 GiB." : problem.detail, at: option.name)
        }
    }

    private mutating func read(_ block: OptionBody.Block, _ spec: Option?, _ specs: [Option]) {
        guard let spec else {
            reportUnknown(block.name, at: block.header, specs)
            return
        }
        guard case .block(let inner) = spec.kind else {
            diagnostics.append(
                Diagnostic(
                    id: "template/unsupported-block", summary: "\(block.name) is an option, not a block",
                    detail: "Write it with an equals sign: \(block.name) = …", subject: block.header))
            undecided.insert(block.name)
            return
        }
        let reader = OptionReader(block.body, inner, component: block.name, context: context)
        diagnostics += reader.diagnostics
        blocks[block.name, default: []].append(reader)
        if ranges[block.name] == nil { ranges[block.name] = block.header }
    }

    /// Says where Packer's conversions give what hardly anybody means.
    private mutating func warnOfWeakness(_ option: OptionBody.Option, _ spec: Option) {
        switch (spec.kind, option.value) {
        case (.duration, .number(let digits)) where digits != "0":
            warning(
                "weak-duration", "\(option.name) counts nanoseconds without a unit",
                "Write it as text with a unit, such as \"\(durationWithUnit(digits))\".", at: option.name)
        case (.list, .string(let text)) where spec.isLate && text.contains(","):
            warning(
                "weak-list", "The commas of \(option.name) are lost",
                "Text for a list is cut at its commas. Put square brackets around it: [\"…\"].", at: option.name)
        default: break
        }
    }

    private mutating func render(_ value: OptionValue, isLate: Bool, name: String) throws(OptionConversion.Problem)
        -> OptionValue
    {
        switch value {
        case .string(let text):
            guard text.contains("{{") else { return value }
            do {
                if let user = try GoTemplateReferences(text).users.first {
                    warning(
                        "user-in-hcl", "{{ user `\(user.name)` }} gives empty text in an HCL template",
                        "Write ${var.\(user.name)} instead.", at: name)
                }
                if isLate {
                    try checkTemplate(text)
                    return value
                }
                let rendered = try renderTemplateOnce(text, data: [:], context: context)
                if rendered.contains("<no value>"), !text.contains("<no value>") {
                    warning(
                        "no-value", "A {{ }} marker in \(name) has no value",
                        "It renders as <no value>. The fields that are known when a build runs are not known here.",
                        at: name)
                }
                return .string(rendered)
            } catch {
                throw OptionConversion.Problem(
                    id: "template-syntax", message: "is not a template that can be rendered: \(error.message)",
                    detail: "Strings are rendered as Go templates; to keep {{ as text write {{`{{`}}.")
            }
        case .list(let values):
            var rendered: [OptionValue] = []
            for value in values { rendered.append(try render(value, isLate: isLate, name: name)) }
            return .list(rendered)
        case .map(let entries):
            var rendered: [OptionValue.Entry] = []
            for entry in entries {
                rendered.append(.init(key: entry.key, value: try render(entry.value, isLate: isLate, name: name)))
            }
            return .map(rendered)
        default: return value
        }
    }
}
