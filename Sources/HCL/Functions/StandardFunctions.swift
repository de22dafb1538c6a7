public import FoundationEssentials

/// Packer's functions by name.
///
/// - Parameters:
///   - templateDirectory: Where relative paths of `file`, `templatefile`, `fileset` and `fileexists` start; absolute.
///   - workingDirectory: Where those of `abspath` and `filebase64` start; absolute.
///   - startTime: What `legacy_isotime` gives.
///   - secrets: Answers `vault` and similar functions; without it, they are errors.
public func standardFunctions(
    files: any FunctionFiles, templateDirectory: String, workingDirectory: String, startTime: Date,
    secrets: (any SecretStores)? = nil
) -> [String: Function] {
    var functions: [String: Function] = [
        "try": Function(.tryEach), "can": Function(.can), "convert": Function(.convert),
    ]
    functions.merge(collectionFunctions) { $1 }
    functions.merge(textFunctions) { $1 }
    functions.merge(numberFunctions) { $1 }
    functions.merge(encodingFunctions) { $1 }
    functions.merge(networkFunctions) { $1 }
    functions.merge(timeFunctions(startTime: startTime)) { $1 }
    functions.merge(secretFunctions(secrets)) { $1 }
    let paths = FunctionPaths(files: files, templateDirectory: templateDirectory, workingDirectory: workingDirectory)
    functions.merge(fileFunctions(paths)) { $1 }
    // A template file sees every function but templatefile itself.
    let available = functions
    functions["templatefile"] = templateFileFunction(paths, functions: available)
    return functions
}

/// `env`, which only the defaults of variables may use: "" for what is not set.
public func envFunction(_ environment: [String: String]) -> Function {
    Function(.string) { arguments throws(FunctionError) in .string(environment[try arguments.string(0)] ?? "") }
}

extension [Value] {
    func string(_ index: Int) throws(FunctionError) -> String {
        guard indices.contains(index), case .string(let text) = self[index] else {
            throw FunctionError("a string is required", argument: index)
        }
        return text
    }

    func number(_ index: Int) throws(FunctionError) -> Number {
        guard indices.contains(index), case .number(let number) = self[index] else {
            throw FunctionError("a number is required", argument: index)
        }
        return number
    }

    func int(_ index: Int) throws(FunctionError) -> Int {
        guard let value = try number(index).int else {
            throw FunctionError("a whole number is required", argument: index)
        }
        return value
    }

    func elements(_ index: Int) throws(FunctionError) -> [Value] {
        guard indices.contains(index), let elements = self[index].elements else {
            throw FunctionError("a list is required", argument: index)
        }
        return elements
    }

    /// The members of a list or tuple; a set has no order.
    func sequence(_ index: Int) throws(FunctionError) -> [Value] {
        if indices.contains(index), case .set = self[index] {
            throw FunctionError("a list is required, not a set, which has no order", argument: index)
        }
        return try elements(index)
    }

    func attributes(_ index: Int) throws(FunctionError) -> [String: Value] {
        guard indices.contains(index), let attributes = self[index].attributes else {
            throw FunctionError("a map or object is required", argument: index)
        }
        return attributes
    }

    /// The members as text.
    func strings(_ index: Int) throws(FunctionError) -> [String] {
        var texts: [String] = []
        for value in try elements(index) {
            guard !value.isNull, case .success(.string(let text)) = value.converted(to: .string) else {
                throw FunctionError("every element must be a string, and one is \(value.kind)", argument: index)
            }
            texts.append(text)
        }
        return texts
    }
}

extension Value {
    static func strings(_ texts: [String]) -> Value { .list(texts.map { .string($0) }) }
}
