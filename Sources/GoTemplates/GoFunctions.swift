package import FoundationEssentials
package import HCL

/// What template functions know about the run.
package struct TemplateContext: Sendable {
    /// nil where there is no build: `build_name` is an error then.
    package var buildName: String?
    package var buildType: String?
    /// The directory of a legacy JSON template; nil in HCL, where `template_dir` is an error.
    package var templateDirectory: String?
    package var workingDirectory: String
    /// `isotime`, `strftime` and `timestamp` are frozen at this moment.
    package var startTime: Date
    package var version: String
    /// What `user` gives; in HCL nothing, and `user` gives "".
    package var user: [String: String]
    /// What `env` gives; nil outside the variables of a legacy JSON template, where `env` is an error.
    package var environment: [String: String]?
    /// What `build` gives; nil in HCL, where `build.NAME` is the way.
    package var runData: [String: String]?
    /// Answers `vault` and similar functions; like `environment`, in the variables of a legacy JSON template alone.
    package var secretStores: (any SecretStores)?

    package init(
        buildName: String? = nil, buildType: String? = nil, templateDirectory: String? = nil,
        workingDirectory: String = ".", startTime: Date, version: String = compatibilityVersion,
        user: [String: String] = [:], environment: [String: String]? = nil, runData: [String: String]? = nil,
        secretStores: (any SecretStores)? = nil
    ) {
        self.buildName = buildName
        self.buildType = buildType
        self.templateDirectory = templateDirectory
        self.workingDirectory = workingDirectory
        self.startTime = startTime
        self.version = version
        self.user = user
        self.environment = environment
        self.runData = runData
        self.secretStores = secretStores
    }
}

/// The version of Packer that templates may ask for.
package let compatibilityVersion = "1.16.0"

/// Go's built-in template functions and Packer's.
package struct GoFunctions {
    var context: TemplateContext

    package static let names: Set<String> = [
        "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery", "call",
        "eq", "ne", "lt", "le", "gt", "ge",
        "user", "env", "build", "build_name", "build_type", "isotime", "strftime", "timestamp", "uuid", "pwd",
        "template_dir", "packer_version", "split", "upper", "lower", "replace", "replace_all", "clean_resource_name",
        "consul_key", "vault", "aws_secretsmanager", "aws_secretsmanager_raw", "sed",
    ]

    func call(_ name: String, _ arguments: [GoValue]) throws(GoTemplateError) -> GoValue {
        switch name {
        case "and", "or":
            guard let last = arguments.last else { throw GoTemplateError("at least one value is needed") }
            return last
        case "not": return .bool(!(try one(arguments)).isTrue)
        case "eq", "ne", "lt", "le", "gt", "ge": return .bool(try compare(name, arguments))
        case "len", "index", "slice": return try GoCollections.call(name, arguments)
        case "print": return .string(GoFormat.printed(arguments))
        case "println": return .string(arguments.map(\.text).joined(separator: " ") + "\n")
        case "printf":
            guard case .string(let format)? = arguments.first else { throw GoTemplateError("the format must be text") }
            return .string(GoFormat.formatted(format, Array(arguments.dropFirst())))
        case "html": return .string(GoFormat.html(GoFormat.printed(arguments)))
        case "js": return .string(GoFormat.javaScript(GoFormat.printed(arguments)))
        case "urlquery": return .string(GoFormat.urlQuery(GoFormat.printed(arguments)))
        case "call": throw GoTemplateError("there is nothing here that can be called")
        default: return .string(try packer(name, arguments))
        }
    }

    private func packer(_ name: String, _ arguments: [GoValue]) throws(GoTemplateError) -> String {
        switch name {
        case "user": return context.user[try text(one(arguments))] ?? ""
        case "env":
            guard let environment = context.environment else {
                throw GoTemplateError(
                    "environment variables can only be read in a variable's default: env(\"NAME\") in HCL, "
                        + "{{env `NAME`}} under \"variables\" in JSON")
            }
            return environment[try text(one(arguments))] ?? ""
        case "build":
            let key = try text(one(arguments))
            guard let data = context.runData else {
                throw GoTemplateError(
                    context.templateDirectory == nil
                        ? "write ${build.\(key)} in an HCL template"
                        : "only provisioners and post-processors know the build")
            }
            guard let value = data[key] else { throw GoTemplateError("a build knows nothing called \(key)") }
            return value
        case "build_name": return try given(context.buildName, "there is no build here")
        case "build_type": return try given(context.buildType, "there is no build here")
        case "template_dir":
            return try given(context.templateDirectory, "only for legacy JSON templates; write ${path.root} in HCL")
        case "pwd": return context.workingDirectory
        case "packer_version": return context.version
        case "isotime":
            let time = CivilTime(context.startTime)
            guard let layout = arguments.first else { return time.goFormatted("2006-01-02T15:04:05Z07:00") }
            return time.goFormatted(try text(layout))
        case "strftime": return try CivilTime(context.startTime).strftime(text(one(arguments)))
        case "timestamp": return String(CivilTime(context.startTime).seconds)
        case "uuid": return timeOrderedUUID()
        case "upper": return try text(one(arguments)).uppercased()
        case "lower": return try text(one(arguments)).lowercased()
        case "split", "replace", "replace_all", "clean_resource_name": return try textFunction(name, arguments)
        case "sed": throw GoTemplateError("sed is gone; use replace or replace_all")
        default: return try secret(name, arguments)
        }
    }

    private func secret(_ name: String, _ arguments: [GoValue]) throws(GoTemplateError) -> String {
        guard context.environment != nil else {
            throw GoTemplateError("only inside the variables of a legacy JSON template")
        }
        guard let stores = context.secretStores else {
            throw GoTemplateError("no service that keeps secrets is asked here; give the value by -var or -var-file")
        }
        var words: [String] = []
        for argument in arguments { words.append(try text(argument)) }
        let query: SecretQuery
        switch (name, words.count) {
        case ("vault", 2): query = .vault(path: words[0], key: words[1])
        case ("consul_key", 1): query = .consul(key: words[0])
        case ("aws_secretsmanager", 1...2): query = .aws(name: words[0], key: words.count == 2 ? words[1] : nil)
        case ("aws_secretsmanager_raw", 1): query = .awsText(name: words[0])
        default: throw GoTemplateError("\(words.count) arguments are not what it takes")
        }
        do { return try stores.secret(query) } catch { throw GoTemplateError("\(error)") }
    }

    private func textFunction(_ name: String, _ arguments: [GoValue]) throws(GoTemplateError) -> String {
        switch name {
        case "split":
            guard arguments.count == 3, case .int(let index) = arguments[2] else {
                throw GoTemplateError("write split \"text\" \"separator\" number")
            }
            let parts = try GoFormat.split(text(arguments[0]), by: text(arguments[1]))
            guard index >= 0, index < parts.count else {
                throw GoTemplateError(
                    "there are only \(parts.count) parts, so there is no part \(index) (counted from 0)")
            }
            return parts[Int(index)]
        case "replace_all":
            guard arguments.count == 3 else { throw GoTemplateError("write replace_all \"old\" \"new\" \"text\"") }
            return try GoFormat.replace(text(arguments[2]), text(arguments[0]), by: text(arguments[1]), limit: nil)
        case "replace":
            guard arguments.count == 4, case .int(let limit) = arguments[2] else {
                throw GoTemplateError("write replace \"old\" \"new\" count \"text\"; -1 replaces all")
            }
            return try GoFormat.replace(
                text(arguments[3]), text(arguments[0]), by: text(arguments[1]),
                limit: limit < 0 ? nil : Int(clamping: limit))
        default:
            return try text(one(arguments)).lowercased().map { character in
                character.isASCII && (character.isLetter || character.isNumber || character == "-")
                    ? String(character) : "-"
            }.joined()
        }
    }

    private func one(_ arguments: [GoValue]) throws(GoTemplateError) -> GoValue {
        guard arguments.count == 1 else {
            throw GoTemplateError("exactly one argument is needed, not \(arguments.count)")
        }
        return arguments[0]
    }

    private func text(_ value: GoValue) throws(GoTemplateError) -> String {
        guard case .string(let text) = value else { throw GoTemplateError("text is needed, not \(value.typeName)") }
        return text
    }

    private func given(_ value: String?, _ problem: String) throws(GoTemplateError) -> String {
        guard let value else { throw GoTemplateError(problem) }
        return value
    }

    private func compare(_ name: String, _ arguments: [GoValue]) throws(GoTemplateError) -> Bool {
        guard arguments.count == 2 || name == "eq" && arguments.count > 2 else {
            throw GoTemplateError("two values are needed")
        }
        let first = arguments[0]
        switch name {
        case "eq":
            for other in arguments.dropFirst() where try equal(first, other) { return true }
            return false
        case "ne": return try !equal(first, arguments[1])
        case "lt": return try less(first, arguments[1])
        case "le": return try !less(arguments[1], first)
        case "gt": return try less(arguments[1], first)
        default: return try !less(first, arguments[1])
        }
    }

    private func equal(_ a: GoValue, _ b: GoValue) throws(GoTemplateError) -> Bool {
        switch (a, b) {
        case (.none, _), (_, .none), (.bool, .bool), (.int, .int), (.float, .float), (.string, .string): return a == b
        default: throw GoTemplateError("\(a.typeName) and \(b.typeName) cannot be compared")
        }
    }

    private func less(_ a: GoValue, _ b: GoValue) throws(GoTemplateError) -> Bool {
        switch (a, b) {
        case (.int(let a), .int(let b)): return a < b
        case (.float(let a), .float(let b)): return a < b
        case (.string(let a), .string(let b)): return a.utf8.lexicographicallyPrecedes(b.utf8)
        default: throw GoTemplateError("\(a.typeName) and \(b.typeName) have no order")
        }
    }

    /// Seconds in the first four bytes, random after, so that later ones sort later.
    private func timeOrderedUUID() -> String {
        let seconds = UInt32(truncatingIfNeeded: Int64(Date().timeIntervalSince1970))
        func hex(_ value: UInt64, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        let parts = [
            hex(UInt64(seconds), 8), hex(.random(in: 0...0xFFFF), 4), hex(.random(in: 0...0xFFFF), 4),
            hex(.random(in: 0...0xFFFF), 4), hex(.random(in: 0...0xFFFF_FFFF_FFFF), 12),
        ]
        return parts.joined(separator: "-")
    }
}
