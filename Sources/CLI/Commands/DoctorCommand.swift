import ArgumentParser
import Foundation
import Pipeline

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks whether this host can build images, and prints the remedy for what is missing.")

    @Flag(help: "Prints each finding as a JSON object.")
    var json = false

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let findings = await Examination(
            environment: ProcessInfo.processInfo.environment, workingDirectory: FileManager.default.currentDirectoryPath
        ).findings()
        let width = findings.map(\.subject.count).max() ?? 0
        for finding in findings {
            if output.machineReadable {
                MachineRecord(.say, lines(finding, width: width)).write()
                continue
            }
            print(json ? jsonObject(fields(of: finding)) : lines(finding, width: width))
        }
        let missing = findings.filter { $0.status == .missing }
        if !json && !output.machineReadable {
            print(missing.isEmpty ? "\nThis host can build images." : "\nBuilds need what is marked as missing.")
        }
        if !missing.isEmpty { throw ExitCode(1) }
    }

    private func lines(_ finding: Finding, width: Int) -> String {
        let (mark, style) =
            switch finding.status {
            case .good: ("ok     ", "32")
            case .warning: ("warning", "33")
            case .missing: ("missing", "31")
            }
        let shown = output.usesColor ? "\u{1B}[\(style)m\(mark)\u{1B}[0m" : mark
        let subject = finding.subject.padding(toLength: width, withPad: " ", startingAt: 0)
        let remedy = finding.remedy.map { "\n         " + String(repeating: " ", count: width) + "  → \($0)" } ?? ""
        return "\(shown)  \(subject)  \(finding.detail)\(remedy)"
    }

    private func fields(of finding: Finding) -> [String: JSONValue] {
        [
            "subject": .string(finding.subject), "status": .string(finding.status.rawValue),
            "detail": .string(finding.detail), "remedy": .optional(finding.remedy),
        ]
    }
}
