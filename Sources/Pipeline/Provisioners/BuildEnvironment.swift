import ComponentModel
import Foundation
import Templates

/// The variables that every script of a build gets.
struct BuildEnvironment {
    let build: PlannedBuild
    let data: RunData

    var variables: [String: String] {
        var variables = [
            "PACKER_BUILD_NAME": build.sourceName, "PACKER_BUILDER_TYPE": build.sourceType,
            "PACKER_RUN_UUID": data.runUUID,
        ]
        if data.httpPort != "0" {
            variables["PACKER_HTTP_ADDR"] = "\(data.httpIP):\(data.httpPort)"
            variables["PACKER_HTTP_IP"] = data.httpIP
            variables["PACKER_HTTP_PORT"] = data.httpPort
        }
        return variables
    }
}

/// Variables as one text for a shell, sorted by name.
///
/// - Parameter format: As Packer's `env_var_format`: the first `%s` is the name, the second the value. The value is made
///   safe for single quotes.
func formatVariables(_ variables: [String: String], format: String) -> String {
    variables.sorted { $0.key < $1.key }.map { name, value in
        let quoted = value.replacing("'", with: "'\"'\"'")
        var text = ""
        var values = [name, quoted][...]
        var rest = format[...]
        while let range = rest.range(of: "%s") {
            text += rest[..<range.lowerBound] + (values.popFirst() ?? "")
            rest = rest[range.upperBound...]
        }
        return text + rest
    }.joined()
}

/// A name in the temporary folder that nothing else has.
func temporaryPath(suffix: String) -> String {
    let folder = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    return "\(folder)/ingot-\(UUID().uuidString.lowercased())\(suffix)"
}
