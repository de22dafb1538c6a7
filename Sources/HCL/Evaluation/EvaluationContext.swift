/// The names that an expression can use.
public struct EvaluationContext: Sendable {
    public var variables: [String: Value]
    public var functions: [String: Function]

    public init(variables: [String: Value] = [:], functions: [String: Function] = [:]) {
        self.variables = variables
        self.functions = functions
    }
}

/// Why a function gives no value.
public struct FunctionError: Error, Hashable, Sendable {
    /// The argument at fault, from 0; nil when no particular one is.
    public var argument: Int?
    public var message: String

    public init(_ message: String, argument: Int? = nil) {
        self.message = message
        self.argument = argument
    }
}

/// A function that expressions can call.
public struct Function: Sendable {
    /// What the function does: takes the converted arguments, gives a value or an error about one of them.
    public typealias Body = @Sendable ([Value]) throws(FunctionError) -> Value

    enum Kind: Sendable {
        case plain(Body)
        /// The first argument that evaluates without an error.
        case tryEach
        /// Whether the argument evaluates without an error.
        case can
        /// The second argument is a type, not a value.
        case convert
    }

    /// Types of the parameters, converted to before the call; the last repeats when `isVariadic`.
    var parameters: [HCLType]
    var isVariadic: Bool
    /// How many of the last parameters may be left out.
    var optional: Int
    /// Null and unknown reach the body; otherwise null is an error, and unknown gives unknown.
    var takesAnything: Bool
    /// Lists and maps with unknown members reach the body, because it does not look at the members.
    var takesPartlyUnknown: Bool
    var kind: Kind

    public init(
        _ parameters: HCLType..., isVariadic: Bool = false, optional: Int = 0, takesAnything: Bool = false,
        takesPartlyUnknown: Bool = false, body: @escaping Body
    ) {
        self.parameters = parameters
        self.isVariadic = isVariadic
        self.optional = optional
        self.takesAnything = takesAnything
        self.takesPartlyUnknown = takesPartlyUnknown
        kind = .plain(body)
    }

    init(_ kind: Kind) {
        parameters = []
        isVariadic = true
        optional = 0
        takesAnything = true
        takesPartlyUnknown = true
        self.kind = kind
    }

    /// How many arguments it takes, in words.
    var arity: String {
        let most = parameters.count
        if isVariadic { return "at least \(most - 1)" }
        return optional > 0 ? "\(most - optional) to \(most)" : "\(most)"
    }

    func accepts(_ count: Int) -> Bool {
        isVariadic ? count >= parameters.count - 1 : (parameters.count - optional...parameters.count).contains(count)
    }
}
