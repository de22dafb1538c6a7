import Foundation
import Machines
import RemoteFramebuffer
import Scopes
import Screen
import Synchronization
import Templates

/// The machine of a build while it runs: where to type, where SSH answers, what it shows.
struct RunningMachine: Sendable {
    let machine: any Machine
    let vnc: VNCAddress?
    let vncPassword: Sensitive<String>?
    /// Where the guest's communicator answers.
    var sshHost: String
    var sshPort: Int
    let screen: ScreenWatch
    /// The file that holds the UEFI variables; nil where there is none.
    var variables: String?
    /// The folder with the TPM's permanent state; nil where there is none, or somebody else looks after it.
    var tpmState: String?

    /// Runs `body`; throws as soon as the machine goes away: no waiting for a dead guest.
    func whileRunning<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await machine.whileRunning(body)
    }

    static let tpmFolder = "/tpm"

    /// What of the machine lies in small files, and where it goes in a checkpoint.
    ///
    /// - Parameter folder: The checkpoint's; folders in it are made.
    func stateFiles(into folder: String) throws -> [(from: String, to: String)] {
        var files = variables.map { [(from: $0, to: folder + "/efivars.fd")] } ?? []
        if let tpmState {
            try makeFolder(folder + Self.tpmFolder)
            let names = try attemptingNow("read the TPM's state") {
                try FileManager.default.contentsOfDirectory(atPath: tpmState)
            }
            for name in names where !name.hasPrefix(".") {
                files.append((from: tpmState + "/" + name, to: "\(folder)\(Self.tpmFolder)/\(name)"))
            }
        }
        return files
    }

    func connectScreen() async throws -> any ScreenConnection {
        guard let vnc else {
            throw BuildError("type the boot command", because: "disable_vnc = true", hint: "Leave one of the two out.")
        }
        return try await machine.connectScreen(at: vnc, password: vncPassword, timeout: .seconds(30))
    }
}

/// Looks at the guest's screen now and then, and keeps what it saw last in the run folder.
final class ScreenWatch: Sendable {
    private let machine: any Machine
    private let vnc: VNCAddress?
    private let password: Sensitive<String>?
    private let folder: String
    private let reporter: Reporter
    /// `installer_dialog_timeout`; nil to wait on.
    private let dialogTimeout: Duration?
    private let lastText = Mutex<[String]>([])
    private let dialog = Mutex<InstallerDialog?>(nil)

    init(
        machine: any Machine, vnc: VNCAddress?, password: Sensitive<String>?, folder: String, reporter: Reporter,
        dialogTimeout: Duration?
    ) {
        self.machine = machine
        self.vnc = vnc
        self.password = password
        self.folder = folder
        self.reporter = reporter
        self.dialogTimeout = dialogTimeout
    }

    /// The lowest line with words on the screen, for the lines that say what a wait waits for.
    var summary: String? {
        let lines = lastText.withLock { $0 }
        let edges = CharacterSet.whitespaces.union(CharacterSet(charactersIn: "│┤├┌┐└┘─║═|\u{fffd}"))
        return lines.last { $0.contains(where: \.isLetter) }
            .map { "on the screen: \($0.trimmingCharacters(in: edges))" }
    }

    /// Looks every `interval` until cancelled.
    func run(every interval: Duration) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: interval)
                try await look()
            } catch {
                // A machine that is going down has no screen; why it goes down is reported elsewhere.
                reporter.debug("could not look at the screen: \(error)")
            }
        }
    }

    /// Takes the screen as `last.png`, and as `last.txt` where it is text.
    func look() async throws {
        guard let vnc else { return }
        let connection = try await machine.connectScreen(at: vnc, password: password, timeout: .seconds(5))
        defer { connection.close() }
        let framebuffer = try await withDeadline(.seconds(5), "reading the screen") {
            try await connection.framebuffer()
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try writeFile(framebuffer.pngData(), to: folder + "/last.png", mode: 0o600)
        let lines = (textOnScreen(framebuffer)?.lines ?? []).filter { !$0.allSatisfy(\.isWhitespace) }
        let shown = lines.map(reporter.redact)
        try writeFile(Data((shown.joined(separator: "\n") + "\n").utf8), to: folder + "/last.txt", mode: 0o600)
        let before = lastText.withLock { last in
            defer { last = shown }
            return last
        }
        let (dialog, dialogBefore) = dialog.withLock { dialog in
            let before = dialog
            dialog = InstallerDialog(on: shown, after: before, now: .now)
            return (dialog, before)
        }
        if let dialog, dialog.title != dialogBefore?.title {
            reporter.warn("the installer waits for an answer: \(dialog.title)")
        }
        judge(trouble(on: shown), before: trouble(on: before))
    }

    /// A guest may panic and start again by itself, so a panic counts when it is still there at the next look.
    private func judge(_ trouble: GuestTrouble?, before: GuestTrouble?) {
        switch trouble {
        case .panicked(let words) where trouble == before: machine.giveUp(.panicked(words))
        case .stopped(let words) where trouble != before: reporter.warn(words)
        default: break
        }
    }

    /// Runs `body`, which waits for an installation.
    ///
    /// - Throws: `BuildError` once the installer has waited at a dialog for `installer_dialog_timeout` with no sign of life in
    ///   `activity` either.
    func whileAnswered<Value: Sendable>(
        _ activity: GuestActivity, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        guard let dialogTimeout else { return try await body() }
        let begin = ContinuousClock.now
        return try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(1))
                    guard let dialog = self.dialog.withLock({ $0 }) else { continue }
                    let age = dialog.age(since: max(begin, activity.lastTime ?? begin))
                    if age >= dialogTimeout {
                        throw dialog.unanswered(for: age, errors: activity.installerErrors)
                    }
                }
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}
