package import Foundation
import Scopes

/// The folder that explains one build: its log, events, requests, installer log, serial output and screens.
///
/// It stays after the build, whether that succeeds or fails, until `PruneRunFolders` removes it.
package final class RunFolder: EventSink {
    package let path: String
    private let log: LineFile
    private let events: LineFile
    private let requests: LineFile
    private let installer: LineFile

    /// Makes `BASE/YYYYMMDD-HHMMSS-BUILD-PID`, readable by its owner alone.
    ///
    /// - Throws: `BuildError` when the folder cannot be made.
    package init(base: String, build: String, now: Date) throws {
        let stamp = timestampText(now).prefix(19).filter { $0 != "-" && $0 != ":" }
        let name = String(build.map { $0.isLetter || $0.isNumber || ".-_".contains($0) ? $0 : "_" })
        var path = "\(base)/\(stamp)-\(name)-\(ProcessInfo.processInfo.processIdentifier)"
        do {
            var attempt = 1
            while FileManager.default.fileExists(atPath: path) {
                attempt += 1
                path = "\(base)/\(stamp)-\(name)-\(ProcessInfo.processInfo.processIdentifier)-\(attempt)"
            }
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            log = try LineFile(path + "/log.txt", isLocked: true)
            events = try LineFile(path + "/events.jsonl")
            requests = try LineFile(path + "/requests.log")
            installer = try LineFile(path + "/installer.log")
        } catch {
            throw BuildError(
                operation: "make the run folder \(path)", hint: "Set XDG_STATE_HOME to a folder you may write to.",
                underlying: error)
        }
        self.path = path
    }

    /// Where the guest's serial port is recorded.
    static func serialPath(in folder: String) -> String { folder + "/serial.log" }
    /// The folder of the guest's screens.
    static func screensPath(in folder: String) -> String { folder + "/screens" }

    package func receive(_ event: Event) {
        switch event.kind {
        case .progress, .terminalLent, .terminalReturned: return
        // The guest's own output is long, so it is in one file only.
        case .guest: break
        case .installer: installer.write(event.text)
        case .request:
            requests.write("\(timestampText(event.time)) \(event.text)")
            events.write(event.json)
        default: events.write(event.json)
        }
        log.write("\(timestampText(event.time)) \(event.kindName) \(event.text)")
    }

    /// The last lines of a file of this folder, for the failure report; empty when there is no such file.
    package func tail(of name: String, lines: Int) -> [String] {
        guard let file = FileHandle(forReadingAtPath: path + "/" + name) else { return [] }
        defer { try? file.close() }  // Only read from: nothing is lost.
        let window: UInt64 = 64 << 10
        guard let end = try? file.seekToEnd() else { return [] }  // A pipe or a vanished file has no tail.
        guard (try? file.seek(toOffset: end > window ? end - window : 0)) != nil,
            let data = try? file.readToEnd()  // As above: an unreadable tail is no tail.
        else { return [] }
        return printableLines(String(decoding: data, as: UTF8.self)).suffix(lines).map { String($0) }
    }
}

/// A guest's line without control characters and terminal sequences, except colours.
package func printable(_ line: String) -> String {
    guard line.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return line }
    let plain = line.replacing(/\u{1B}\[[0-9;?]*[A-Za-ln-z]/, with: "").replacing(/\u{1B}\][^\u{07}]*\u{07}/, with: "")
    return String(
        plain.filter { character in
            character.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\t" || $0 == "\u{1B}" }
        })
}

/// Lines without control characters and terminal sequences, empty ones left out.
package func printableLines(_ text: String) -> [String] {
    let plain = text.replacing(/\u{1B}\[[0-9;?]*[A-Za-z]/, with: "").replacing(/\u{1B}[()][A-Z0-9]/, with: "")
    return plain.split(whereSeparator: \.isNewline).map { line in
        String(
            line.filter { character in character.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } })
    }.filter { !$0.allSatisfy(\.isWhitespace) }
}
