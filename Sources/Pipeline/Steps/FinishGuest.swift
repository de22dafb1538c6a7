import ComponentModel
import DiskImages
import Files
import Foundation
import GuestFiles
import Libvirt
import Machines
import Scopes
import Templates

/// What finishing the guest gave: disks that take the place of the machine's own, and what lies beside them.
struct FinishedGuest: Sendable {
    /// Overlays over the machine's disks, or copies that have the same backing file.
    var overlays: Disks
    var documents: [(name: String, content: Data)]
    /// The overlays hold something else than the machine's disks.
    var isChanged: Bool
    /// What the check found, where that is to be an error.
    var complaint: BuildError?
}

/// `finish`: generalises, fills, inspects, checks and shrinks the image by libguestfs, without starting the machine.
///
/// It works on overlays: whatever happens, the machine's disks stay as they are.
struct FinishGuest: Sendable {
    let scope: BuildScope
    let settings: FinishSettings
    /// What the machine started from.
    let medium: String
    private let qemuImg = QemuImg()

    /// - Returns: nil where the template does not ask for it.
    init?(scope: BuildScope, medium: String) {
        guard let settings = scope.source.finish else { return nil }
        self.scope = scope
        self.settings = settings
        self.medium = medium
    }

    private var source: QemuSource { scope.source }
    private var context: RunContext { scope.context }
    private var reporter: Reporter { scope.reporter }

    /// Runs as a step of the build. A failure does not cost the image.
    func attempt(
        _ disks: Disks, _ workspace: Workspace, _ data: RunData
    ) async throws -> Result<FinishedGuest, any Error> {
        do {
            return .success(try await scope.step("Finishing the guest") { try await run(disks, workspace, data) })
        } catch let error where !(error is CancellationError) {
            try Task.checkCancellation()
            reporter.warn("the image is kept as the machine left it, since finishing it failed")
            return .failure(error)
        }
    }

    /// - Throws: What kept it from being finished; the overlays are gone then.
    private func run(_ disks: Disks, _ workspace: Workspace, _ data: RunData) async throws -> FinishedGuest {
        do {
            let overlays = try await makeOverlays(over: disks, workspace)
            let options = try options(data)
            let result = try await GuestFiles.finish(
                overlays.paths.map { GuestDisk(path: $0, format: overlays.format) }, options, appliance(workspace)
            ) { [reporter] stage, fraction in
                reporter.report(fraction.map { .progress(fraction: $0) } ?? .heartbeat, stage.rawValue)
            }
            for (overlay, size) in zip(overlays.paths, result.diskSizes) {
                guard let size else { continue }
                try await qemuImg.resize(overlay, format: overlays.format, size: size, arguments: ["--shrink"])
            }
            report(result.journal)
            return FinishedGuest(
                overlays: overlays, documents: try documents(result), isChanged: options.changesDisks,
                complaint: try report(result.findings))
        } catch {
            do { try removeTree(workspace.overlays) } catch { reporter.warn("\(error)") }
            guard var failure = error as? BuildError else { throw error }
            // The overlays' names mean nothing to the user.
            failure.operation = "finish \(source.vmName)"
            if let error = failure.underlying as? GuestfsError { failure.underlying = Reason(text: plain(error.text)) }
            throw failure
        }
    }

    private func makeOverlays(over disks: Disks, _ workspace: Workspace) async throws -> Disks {
        // There are some when the step is tried again.
        try removeTree(workspace.overlays)
        guard mkdir(workspace.overlays, 0o755) == 0 else {
            throw systemFailure("make the folder \(workspace.overlays)")
        }
        var paths: [String] = []
        for (index, disk) in disks.paths.enumerated() {
            let path = "\(workspace.overlays)/\(index).qcow2"
            if source.disk.usesBackingFile, index == 0 {
                // A copy over the same base, since converting keeps apart only what lies in the top layer.
                try await qemuImg.convert(
                    disk, sourceFormat: disks.format, to: path, format: "qcow2",
                    arguments: ["-B", medium, "-F", "qcow2"]
                ) { _ in }
            } else {
                try await qemuImg.create(path, format: "qcow2", size: nil, backing: (disk, disks.format))
            }
            paths.append(path)
        }
        return Disks(paths: paths, format: "qcow2")
    }

    /// Its files lie in the build's own folder, which the next run removes should this one not come to it.
    private func appliance(_ workspace: Workspace) -> ApplianceSettings {
        let host = HostAcceleration.current
        let choice = chooseAccelerator(requested: source.machine.accelerator, guest: host.architecture, host: host)
        return ApplianceSettings(
            isAccelerated: choice.accelerator == .kvm, temporaryFolder: workspace.overlays,
            startLimit: min(.seconds(600), settings.timeout),
            limit: settings.timeout)
    }

    // MARK: What is asked for

    private func options(_ data: RunData) throws -> FinishOptions {
        FinishOptions(
            generalisation: generalisation(data), injection: try injection(),
            shrinking: settings.shrinks
                ? Shrinking(
                    zeroesWhereTrimFails: settings.zeroesFreeSpace, clearsSwap: settings.clearsSwap,
                    resizesToMinimum: settings.resizesToMinimum) : nil,
            check: settings.check == .off ? nil : LeftoverCheck(secrets: leftovers(), permittedKeys: ownKeys),
            inspects: settings.inspects || !settings.bills.isEmpty)
    }

    private func generalisation(_ data: RunData) -> Generalisation? {
        guard settings.generalises || !settings.removedPaths.isEmpty else { return nil }
        let kept = Set(settings.keptParts.map(\.rawValue))
        return Generalisation(
            parts: settings.generalises ? Set(Generalisation.Part.allCases.filter { !kept.contains($0.rawValue) }) : [],
            removedKeys: settings.generalises && !data.sshPublicKey.isEmpty ? [data.sshPublicKey] : [],
            removedPaths: settings.removedPaths)
    }

    private func injection() throws -> Injection? {
        var injection = Injection(authorizedKeys: settings.authorizedKeys)
        for (path, file) in settings.files.sorted(by: { $0.key < $1.key }) {
            let file = context.absolute(file)
            guard access(file, R_OK) == 0 else { throw systemFailure("read \(file)") }
            injection.files.append(
                .init(path: path, content: .file(file), mode: access(file, X_OK) == 0 ? 0o755 : 0o644))
        }
        for (path, text) in settings.fileContent.sorted(by: { $0.key < $1.key }) {
            injection.files.append(.init(path: path, content: .bytes(Array(text.utf8))))
        }
        injection.firstBootScripts = try settings.firstBootScripts.map { script in
            try attemptingNow("read the first-boot script \(script)") {
                try String(contentsOfFile: context.absolute(script), encoding: .utf8)
            }
        }
        switch settings.hostName {
        case .keep: injection.hostName = .keep
        case .clear: injection.hostName = .clear
        case .set(let name): injection.hostName = .set(name)
        }
        injection.cloudInitDatasources = settings.cloudInitDatasources
        let isEmpty =
            injection.files.isEmpty && injection.firstBootScripts.isEmpty && injection.hostName == .keep
            && injection.authorizedKeys.isEmpty && injection.cloudInitDatasources == nil
        return isEmpty ? nil : injection
    }

    private var ownKeys: [String] { settings.permittedKeys + settings.authorizedKeys.map(\.key) }

    /// The template's secrets and the password that the guest was entered with. One that is the user's name as well stands
    /// in every /etc/passwd, and says nothing.
    private func leftovers() -> [Sensitive<String>] {
        let secrets = withoutLinesOfOthers(scope.secrets)
        guard case .ssh(let ssh) = source.communicator, let password = ssh.password else { return secrets }
        return (secrets + [password]).filter { $0.reveal() != ssh.username }
    }

    // MARK: What came of it

    /// Words that hold names and messages of the guest, without what could take hold of a terminal.
    private func plain(_ text: String) -> String { printableLines(text).joined(separator: " ") }

    private func report(_ journal: FinishJournal) {
        for warning in journal.warnings { reporter.warn(plain(warning)) }
        for note in journal.notes { reporter.news(plain(note)) }
        let changes = [
            ("removed", journal.removed), ("emptied", journal.emptied), ("changed", journal.changed),
            ("added", journal.added),
        ].filter { !$0.1.isEmpty }
        for (word, paths) in changes { reporter.debug(plain("\(word) in the image: \(paths.joined(separator: " "))")) }
        if !changes.isEmpty {
            reporter.news("Paths in the image: " + changes.map { "\($0.1.count) \($0.0)" }.joined(separator: ", "))
        }
    }

    private func report(_ findings: [GuestFiles.Finding]) throws -> BuildError? {
        let lines = findings.map { plain("\($0.path): \($0.text)") }
        let most = 20
        var shown = Array(lines.prefix(most))
        if lines.count > most {
            shown.append("and \(lines.count - most) more, all of them in the log of the run folder")
        }
        for line in lines.dropFirst(most) { reporter.debug("left in the image: \(line)") }
        // What could not be searched is nothing that was found.
        guard settings.check == .error, findings.contains(where: { $0.kind != .incomplete }) else {
            for line in shown { reporter.warn("left in the image: \(line)") }
            return nil
        }
        return BuildError(
            "pass the image", because: (["it holds what should not be in it"] + shown).joined(separator: "\n    "),
            hint:
                "Remove these in a provisioner or by finish's remove, name keys in permitted_keys, or write "
                + "check = \"warn\"."
        )
    }

    private func documents(_ result: FinishResult) throws -> [(name: String, content: Data)] {
        guard let report = result.report else { return [] }
        var documents: [(name: String, content: Data)] = []
        if settings.inspects { documents.append(("\(source.vmName).report.json", try report.json())) }
        for (index, system) in report.systems.enumerated() {
            guard !system.packages.isEmpty else {
                if !settings.bills.isEmpty { reporter.warn("no list of packages is written, since none were found") }
                continue
            }
            let bill = BillOfMaterials(
                name: source.vmName, system: system.system, packages: system.packages, created: context.startTime,
                identifier: UUID(), toolVersion: ingotVersion)
            let name = source.vmName + (index == 0 ? "" : "-system-\(index + 1)")
            for format in settings.bills {
                switch format {
                case .spdx: documents.append(("\(name).spdx.json", try bill.render(.spdx)))
                case .cyclonedx: documents.append(("\(name).cdx.json", try bill.render(.cycloneDX)))
                }
            }
        }
        return documents
    }
}
