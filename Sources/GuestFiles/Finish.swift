import Foundation
import Scopes

/// What to do with a machine's disks once it is off. A part that is nil or false is skipped.
package struct FinishOptions: Sendable {
    /// Removes what belongs to one machine.
    package var generalisation: Generalisation?
    /// Adds files and settings.
    package var injection: Injection?
    /// Releases free space.
    package var shrinking: Shrinking?
    /// Searches for leftovers.
    package var check: LeftoverCheck?
    /// Whether to fill `FinishResult.report`, including the list of packages.
    package var inspects: Bool

    package init(
        generalisation: Generalisation? = nil, injection: Injection? = nil, shrinking: Shrinking? = nil,
        check: LeftoverCheck? = nil, inspects: Bool = false
    ) {
        self.generalisation = generalisation
        self.injection = injection
        self.shrinking = shrinking
        self.check = check
        self.inspects = inspects
    }

    /// Whether the disks are written to.
    package var changesDisks: Bool { generalisation != nil || injection != nil || shrinking != nil }
    var needsSystem: Bool { generalisation != nil || injection != nil || check != nil }
}

/// The result of finishing a machine's disks.
package struct FinishResult: Sendable {
    /// What was done and what was not.
    package var journal = FinishJournal()
    /// The contents of the image; nil if it was not inspected.
    package var report: ImageReport?
    /// The findings of the check; the caller decides whether they are errors.
    package var findings: [Finding] = []
    /// The size in bytes to truncate each disk to, in the disks' order; nil, or no entry, for a disk that keeps its size.
    package var diskSizes: [Int64?] = []

    package init() {}
}

/// The stages of `finish`.
package enum FinishStage: String, Sendable {
    case start = "starting libguestfs's appliance"
    case inspect = "looking for the operating system"
    case generalise = "generalising"
    case inject = "adding files"
    case report = "listing the contents of the image"
    case check = "searching for leftovers"
    case shrink = "releasing free space"
    case write = "writing the changes to the disk"
}

/// Finishes a machine's disks without starting the machine, with a single start of libguestfs's appliance.
///
/// The disks must be all disks of the machine, in its order, and no other program may have them open. Their files do not
/// shrink here: converting them afterwards leaves out the released space.
///
/// - Parameters:
///   - onStage: Called as each stage begins, and with the progress of a long call in it (0 to 1).
/// - Throws: `BuildError`, `TimedOut`, `CancellationError`. The disks may then be changed in part.
package func finish(
    _ disks: [GuestDisk], _ options: FinishOptions, _ settings: ApplianceSettings,
    onStage: @escaping @Sendable (FinishStage, Double?) -> Void = { _, _ in }
) async throws -> FinishResult {
    let stage = LatestStage(report: onStage)
    let names = disks.map(\.path).joined(separator: ", ")
    // Filling free space with zeros takes up to this much; half of the host's free space is kept.
    let room = disks.map { freeBytes(beside: $0.path) }.min().map { $0 / 2 } ?? 0
    stage.begin(.start)
    return try await Appliance.with(
        disks, settings, isReadOnly: !options.changesDisks, onProgress: { stage.progress($0) }
    ) { guest in
        do {
            let result = try guest.finish(options, room: room, disks: names) { stage.begin($0) }
            stage.begin(.write)
            return result
        } catch let error as GuestfsError {
            let room = freeBytes(beside: settings.temporaryFolder ?? "/tmp")
            throw BuildError(
                operation: "finish \(names)",
                hint: error.number == ENOSPC
                    ? "The guest's own file system is full." : room < 16 << 20 ? "The folder in TMPDIR is full." : nil,
                underlying: error)
        }
    }
}

private func freeBytes(beside path: String) -> UInt64 {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return 0 }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
}

extension Guestfs {
    fileprivate func finish(
        _ options: FinishOptions, room: UInt64, disks: String, begin: (FinishStage) -> Void
    ) throws -> FinishResult {
        var result = FinishResult()
        begin(.inspect)
        let systems = try findSystems()
        let fileSystems = try self.fileSystems()
        if systems.isEmpty, options.needsSystem || options.inspects {
            let encrypted = fileSystems.filter { $0.kind == "crypto_LUKS" || $0.kind == "BitLocker" }
            let reason =
                encrypted.isEmpty
                ? "it has no known operating system"
                : "\(encrypted.map(\.device).joined(separator: ", ")) is encrypted, and its passphrase is not known"
            guard !options.needsSystem else {
                throw BuildError(
                    "finish \(disks)", because: reason,
                    hint:
                        "Only inspecting and shrinking work on a disk without a system that can be read; for that write "
                        + "generalise = false and check = \"off\", and put nothing in.")
            }
            result.journal.warn(reason)
        }
        var mounted: [String: (path: String, used: Int64)] = [:]
        var reports: [SystemReport] = []
        for var found in systems where options.needsSystem || options.inspects {
            let points = try mount(found, isReadOnly: !options.changesDisks) { result.journal.warn($0) }
            found.system.add(osRelease: try contents("/etc/os-release") ?? "")
            let added = result.journal.added.count
            if let wanted = options.generalisation {
                begin(.generalise)
                try generalise(found.system, wanted, &result.journal)
            }
            if let wanted = options.injection {
                begin(.inject)
                try inject(found.system, wanted, &result.journal)
            }
            try relabelAdded(since: added, &result.journal)
            if options.inspects {
                begin(.report)
                var packages: [InstalledPackage] = []
                do { packages = try self.packages(of: found) } catch let error as GuestfsError {
                    result.journal.warn("the packages could not be listed: \(error.text)")
                }
                reports.append(try report(found, packages: packages))
                for point in points {
                    let room = try self.room(at: point.path)
                    mounted[point.device] = (point.path, max(room.size - room.free, 0))
                }
            }
            if let wanted = options.check {
                begin(.check)
                // A file with a secret that the template adds is intended.
                let given = Set(
                    result.journal.added.dropFirst(added).map { "/" + $0.split(separator: "/").joined(separator: "/") })
                result.findings += try check(wanted).filter { $0.kind != .secret || !given.contains($0.path) }
            }
        }
        if !systems.isEmpty { try unmountAll() }
        if options.inspects {
            result.report = ImageReport(
                systems: reports, fileSystems: try self.reports(on: fileSystems, mounted: mounted),
                disks: try diskReports())
        }
        result.report?.findings = result.findings
        if let wanted = options.shrinking {
            begin(.shrink)
            try shrink(systems, fileSystems, wanted, room: room, &result.journal)
            if wanted.resizesToMinimum { result.diskSizes = try minimise(&result.journal) }
        }
        return result
    }
}
