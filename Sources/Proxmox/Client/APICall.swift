import ProxmoxConfiguration

/// One call of the API.
struct APICall: Sendable {
    enum Method: String, Sendable { case GET, POST, PUT, DELETE }

    var method: Method
    /// Below the API's root, each part percent-encoded.
    var path: String
    /// Query of a GET or DELETE, body of a POST or PUT.
    var fields: [(key: String, value: String)] = []
    /// What is attempted, as an infinitive.
    var operation: String
    /// What the user must be granted, for refusals that do not say.
    var privileges: String?
    /// Nil is the pace's own.
    var limit: Duration?

    init(
        _ method: Method, _ parts: [String], _ fields: [(key: String, value: String)] = [], to operation: String,
        privileges: String? = nil
    ) {
        self.method = method
        path = parts.map { "/" + PercentEncoding.strict($0) }.joined()
        self.fields = fields
        self.operation = operation
        self.privileges = privileges
    }

    /// Whether a second one does no harm.
    var isSafe: Bool { method == .GET }
}
