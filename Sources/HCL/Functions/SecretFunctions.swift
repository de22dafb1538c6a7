/// What `vault`, `consul_key`, `aws_secretsmanager` and `aws_secretsmanager_raw` ask for.
public enum SecretQuery: Hashable, Sendable {
    /// A member of a secret in HashiCorp Vault's key-value store.
    case vault(path: String, key: String)
    case consul(key: String)
    /// A member of a secret that is an object; without a key its only one, or the text that is not an object.
    case aws(name: String, key: String?)
    case awsText(name: String)
}

/// The services that keep secrets.
public protocol SecretStores: Sendable {
    /// Asks, and waits for the answer.
    ///
    /// - Throws: Why it cannot be read, in words for the user.
    func secret(_ query: SecretQuery) throws -> String
}

/// - Parameter stores: nil makes every one an error.
func secretFunctions(_ stores: (any SecretStores)?) -> [String: Function] {
    @Sendable func ask(_ query: SecretQuery) throws(FunctionError) -> Value {
        guard let stores else {
            throw FunctionError("no service that keeps secrets is asked here; give the value with -var or PKR_VAR_")
        }
        let text: String
        do { text = try stores.secret(query) } catch { throw FunctionError("\(error)") }
        return .sensitive(.string(text))
    }
    return [
        "vault": Function(.string, .string) { arguments throws(FunctionError) in
            try ask(.vault(path: arguments.string(0), key: arguments.string(1)))
        },
        "consul_key": Function(.string) { arguments throws(FunctionError) in
            try ask(.consul(key: arguments.string(0)))
        },
        "aws_secretsmanager": Function(.string, .string, takesAnything: true) { arguments throws(FunctionError) in
            if arguments.contains(.unknown) { return .unknown }
            let key = arguments.last == .null ? nil : try arguments.string(1)
            return try ask(.aws(name: arguments.string(0), key: key))
        },
        "aws_secretsmanager_raw": Function(.string) { arguments throws(FunctionError) in
            try ask(.awsText(name: arguments.string(0)))
        },
    ]
}
