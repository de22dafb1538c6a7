import Foundation
import HCL
import Processes
import Scopes
import Templates

/// `external` and `external-raw`: a program that reads a query from its standard input and writes a result.
extension LocalDataSources {
    func external(_ program: [String], _ directory: String, _ query: [String: String]) async throws -> DataSourceAnswer
    {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let output = try await result(of: program, directory, try encoder.encode(query))
        let values: [String: String]
        do { values = try JSONDecoder().decode([String: String].self, from: Data(output)) } catch {
            throw BuildError(
                "use what \(program.first ?? "the program") wrote",
                because: "it is not a JSON object of texts: \(Self.excerpt(output))",
                hint: "It must write one object and nothing else to its standard output, such as "
                    + "{\"version\": \"1.2\"}; numbers and lists go into text, too.")
        }
        return DataSourceAnswer(["result": .map(values.mapValues(Value.string))])
    }

    func externalRaw(_ program: [String], _ directory: String, _ query: String) async throws -> DataSourceAnswer {
        let output = try await result(of: program, directory, Data(query.utf8))
        guard let text = String(validating: output, as: UTF8.self) else {
            throw BuildError(
                "use what \(program.first ?? "the program") wrote", because: "it is not UTF-8 text",
                hint: "What is not text can be passed on in base64: program | base64.")
        }
        return DataSourceAnswer(["result": .string(text)])
    }

    private func result(of program: [String], _ directory: String, _ query: Data) async throws -> [UInt8] {
        guard let name = program.first else { throw BuildError("run a program", because: "none is named") }
        let ended = try await captureProcess(
            name, Array(program.dropFirst()), environment: environment, workingDirectory: absolute(directory),
            input: Array(query), limit: limits.size, deadline: limits.program)
        guard ended.exit.isSuccess else {
            throw BuildError(
                "run \(name)",
                because: "it ended with \(ended.exit)"
                    + (ended.complaint.map { " and said:\n\($0)" } ?? " without output"),
                hint: ended.complaint == nil ? "What it writes to standard error is shown here." : nil)
        }
        return ended.output
    }

    /// The beginning of what was written, on one line.
    private static func excerpt(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes.prefix(120), as: UTF8.self)
            .split(whereSeparator: \.isNewline).joined(separator: " ")
        return text.isEmpty ? "nothing was written" : "“\(text)\(bytes.count > 120 ? "…" : "")”"
    }
}
