public import Diagnostics

/// The inside of a file or block: attributes and blocks, each in order of appearance.
public struct Body: Hashable, Sendable {
    public var attributes: [Attribute]
    public var blocks: [Block]
    public var range: SourceRange

    public init(attributes: [Attribute], blocks: [Block], range: SourceRange) {
        self.attributes = attributes
        self.blocks = blocks
        self.range = range
    }
}

/// `name = expression`.
public struct Attribute: Hashable, Sendable {
    public var name: String
    public var nameRange: SourceRange
    public var expression: Expression
    public var range: SourceRange
}

/// `type "label" { … }`.
public struct Block: Hashable, Sendable {
    /// A label of a block, without its quotes.
    public struct Label: Hashable, Sendable {
        public var text: String
        public var range: SourceRange
    }

    public var type: String
    public var typeRange: SourceRange
    public var labels: [Label]
    public var body: Body
    /// The type and the labels.
    public var headerRange: SourceRange
    /// From the type to the closing brace.
    public var range: SourceRange
}

/// Something that has a value.
public struct Expression: Hashable, Sendable {
    public let range: SourceRange
    public let kind: Kind
    /// How deep the tree below goes; bounded, so that walking it never exhausts the stack. Chains are one level.
    let depth: Int

    static let largestDepth = 400

    init(_ kind: Kind, _ range: SourceRange, children: [Expression] = []) {
        self.kind = kind
        self.range = range
        depth = 1 + (children.map(\.depth).max() ?? 0)
    }

    /// The forms of an expression.
    public indirect enum Kind: Hashable, Sendable {
        case literal(Value)
        case template([TemplatePart])
        /// `"${x}"` alone: x with its type.
        case wrapped(Expression)
        case parenthesized(Expression)
        case variable(String)
        /// `base.name[key]…`, however many steps.
        case access(Expression, [Step])
        /// `source[*]` or `source.*`, and what follows for each element, in which it is `.element`.
        case splat(Expression, each: Expression)
        case element
        case call(name: String, nameRange: SourceRange, arguments: [Expression], expandsLast: Bool)
        case unary(UnaryOperator, Expression)
        /// `a + b - c`: operators of one precedence, from left to right, however many.
        case operation(Expression, [Operation])
        /// `a ? b : c ? d : e`: the first choice whose condition is true, however many.
        case conditional([Choice], otherwise: Expression)
        case tuple([Expression])
        case object([ObjectItem])
        case forTuple(ForClause, Expression, condition: Expression?)
        case forObject(ForClause, key: Expression, value: Expression, condition: Expression?, groups: Bool)
    }

    /// What follows a value to reach into it.
    public enum Step: Hashable, Sendable {
        case attribute(String, SourceRange)
        /// - Parameter range: With the brackets.
        case index(Expression, range: SourceRange)
    }

    /// An operator and what is at its right.
    public struct Operation: Hashable, Sendable {
        public var sign: BinaryOperator
        public var operand: Expression
    }

    /// A condition and what it chooses.
    public struct Choice: Hashable, Sendable {
        public var condition: Expression
        public var result: Expression
    }

    /// A key of an object and its value.
    public struct ObjectItem: Hashable, Sendable {
        public var key: Expression
        public var value: Expression
        /// The key may not come twice: so in the JSON syntax. In the native one the last counts.
        var mustBeUnique = false
    }

    /// The names and the collection of a `for`.
    public struct ForClause: Hashable, Sendable {
        public var keyName: String?
        public var valueName: String
        public var collection: Expression
    }
}

/// An operator before its operand.
public enum UnaryOperator: Hashable, Sendable { case negate, not }

/// An operator between two operands, by its spelling.
public enum BinaryOperator: String, Hashable, Sendable {
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case add = "+"
    case subtract = "-"
    case greater = ">"
    case greaterOrEqual = ">="
    case less = "<"
    case lessOrEqual = "<="
    case equal = "=="
    case notEqual = "!="
    case and = "&&"
    case or = "||"

    /// Higher binds tighter.
    var precedence: Int {
        switch self {
        case .multiply, .divide, .modulo: 6
        case .add, .subtract: 5
        case .greater, .greaterOrEqual, .less, .lessOrEqual: 4
        case .equal, .notEqual: 3
        case .and: 2
        case .or: 1
        }
    }
}

/// A piece of a template.
public indirect enum TemplatePart: Hashable, Sendable {
    case text(String)
    case interpolation(Expression)
    case conditional(Expression, then: [TemplatePart], otherwise: [TemplatePart])
    case loop(Expression.ForClause, [TemplatePart])
}

/// A traversal that an expression uses: `var.name.key` has the path var, name, key; it ends at the first step that is
/// not a plain name.
public struct Reference: Hashable, Sendable {
    public var path: [String]
    public var range: SourceRange
}
