import ComponentModel

/// The schemas of values. Every value can also be text with an expression in it, or null, which means not given.
enum ValueSchemas {
    static let definitions: [String: SchemaValue] = [
        "text": ["type": ["string", "number", "boolean", "null"]],
        "expression": ["type": "string", "pattern": .text(expression)],
        "flag": [
            "if": ["type": "string"], "then": ["pattern": .text("^(true|false|0|1)$|" + expression)],
            "else": ["enum": [true, false, 0, 1, .null]],
        ],
        "count": [
            "if": ["type": "string"], "then": ["pattern": .text("^-?[0-9]+$|" + expression)],
            "else": ["type": ["integer", "null"]],
        ],
        "duration": [
            "if": ["type": "string"], "then": ["pattern": .text(duration)], "else": ["enum": [0, .null]],
        ],
        "texts": orExpression(["type": ["array", "null"], "items": reference("text")]),
        "counts": orExpression(["type": ["array", "null"], "items": reference("count")]),
        "textMap": orExpression(["type": ["object", "null"], "additionalProperties": reference("text")]),
        "rows": orExpression(["type": ["array", "null"], "items": reference("texts")]),
        "object": orExpression(["type": ["object", "null"]]),
    ]

    /// `${…}` or `%{…}` somewhere in a text.
    private static let expression = #"[$%]\{"#
    /// Go's durations, an expression, or a marker that is rendered later.
    private static let duration =
        #"^([-+]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+))?$|\{\{|"# + expression

    static func reference(_ name: String) -> SchemaValue { ["$ref": .text("#/$defs/" + name)] }

    private static func orExpression(_ schema: SchemaValue) -> SchemaValue {
        ["if": ["type": "string"], "then": reference("expression"), "else": schema]
    }

    static func schema(of form: BlockSpec.Form) -> SchemaValue {
        switch form {
        case .anything: [:]
        case .text: reference("text")
        case .flag: reference("flag")
        case .count: reference("count")
        case .duration: reference("duration")
        case .texts: reference("texts")
        case .object: reference("object")
        }
    }

    static func schema(of option: Option) -> SchemaValue {
        let schema = option.choices.isEmpty ? schema(of: option.kind) : schema(of: option.kind, option.choices)
        switch option.status {
        case .acted: return schema.described(option.meaning)
        case .inert: return schema.described(option.meaning + " Accepted without effect.")
        case .notYet: return schema.described(option.meaning + " It has no effect in Ingot yet.")
        case .renamed(let new): return schema.described("An old name of \(new).").with(["deprecated": true])
        case .gone(let advice): return ["not": [:], "deprecated": true, "description": .text(advice)]
        }
    }

    /// One of the words, or a list of them; the empty text is none.
    private static func schema(of kind: Option.Kind, _ choices: [String]) -> SchemaValue {
        let words: SchemaValue = ["enum": .list(choices.map(SchemaValue.text))]
        if case .list = kind {
            let element: SchemaValue = ["anyOf": [words, reference("expression")]]
            return orExpression(["type": ["array", "null"], "items": element])
        }
        return ["anyOf": [words, reference("expression"), ["enum": ["", .null]]]]
    }

    private static func schema(of kind: Option.Kind) -> SchemaValue {
        switch kind {
        case .text: reference("text")
        case .int: reference("count")
        case .bool: reference("flag")
        case .duration: reference("duration")
        case .list: reference("texts")
        case .ints: reference("counts")
        case .map: reference("textMap")
        case .rows: reference("rows")
        case .block(let options): oneOrMany(closed(properties(options)))
        }
    }

    static func properties(_ options: [Option]) -> [String: SchemaValue] {
        Dictionary(options.map { ($0.name, schema(of: $0)) }, uniquingKeysWith: { first, _ in first })
    }

    static func properties(_ spec: BlockSpec) -> [String: SchemaValue] {
        Dictionary(
            spec.attributes.map { ($0.name, schema(of: $0.form).described($0.meaning)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// An object with these properties, comments, and nothing else.
    static func closed(_ properties: [String: SchemaValue]) -> SchemaValue {
        [
            "type": ["object", "null"], "properties": .object(properties.merging(["//": [:]]) { $1 }),
            "additionalProperties": false,
        ]
    }

    /// A block can be written once or, as a list, several times.
    static func oneOrMany(_ schema: SchemaValue) -> SchemaValue {
        ["if": ["type": "array"], "then": ["items": schema], "else": schema]
    }
}
