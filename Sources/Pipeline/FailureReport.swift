import Foundation

/// What explains a failed build, taken from its run folder.
package struct FailureReport: Sendable {
    package var reason: String
    /// The path of the last screen as PNG.
    package var screen: String?
    package var screenText: [String]
    package var serialTail: [String]
    package var requests: [String]
    package var installerTail: [String]
    package var runFolder: String

    init(_ error: any Error, in folder: RunFolder) {
        reason = "\(error)"
        let png = RunFolder.screensPath(in: folder.path) + "/last.png"
        screen = FileManager.default.fileExists(atPath: png) ? png : nil
        screenText = folder.tail(of: "screens/last.txt", lines: 25)
        serialTail = folder.tail(of: "serial.log", lines: 10)
        requests = folder.tail(of: "requests.log", lines: 5)
        installerTail = folder.tail(of: "installer.log", lines: 8)
        runFolder = folder.path
    }

    /// The report as lines for a console.
    package var lines: [String] {
        var lines: [String] = []
        func section(_ title: String, _ content: [String]) {
            guard !content.isEmpty else { return }
            lines.append(title)
            lines += content.map { "    " + $0 }
        }
        if let screen { lines.append("Last screen: \(screen)") }
        section("Text on the last screen:", screenText)
        section("End of the serial output:", serialTail)
        section("End of the installer's log:", installerTail)
        section("Last requests of the guest:", requests)
        lines.append("Everything about this build: \(runFolder)")
        return lines
    }
}
