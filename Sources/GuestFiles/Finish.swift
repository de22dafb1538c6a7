import Foundation
import Scopes

/// What is done to a machine's disks once it is switched off. Each part is left out when it is nil or false.
package struct FinishOptions: Sendable {
    package var generalisation: Generalisation?
    package var injection: Injection?
    package var shrinking: Shrinking?
    package var check: LeftoverCheck?
    /// Fills `FinishResult.report`, with the list of packages.
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

    package var changesDisks: Bool { generalisation != nil || injection != nil || shrinking != nil }
    var needsSystem: Bool { generalisation != nil || injection != nil || check != nil }
}

/// What came of it.
package struct FinishResult: Sendable {
    package var journal = FinishJournal()
    package var report: ImageReport?
    /// What the check found; the caller decides whether that is an error.
    package var findings: [Finding] = []
    /// Bytes that each disk is to be cut to, by the disks' order; nil, or nothing at all, for one that keeps its size.
    package var diskSizes: [Int64?] = []

    package init() {}
}

/// Where `finish` is.
package enum FinishStage: String, Sendable {
    case start = "starting libguestfs's appliance"
    case inspect = "looking for the operating system"
    case generalise = "generalising"
    case inject = "putting files in"
    case report = "listing what is in the image"
    case check = "searching for leftovers"
    case shrink = "giving free space back"
    case write = "writing everything to the disk"
}

/// Finishes a machine's disks without starting the machine, in one start of libguestfs's appliance.
///
/// The disks must be the machine's own, all of them and in its order, and nothing else may have them open. They get no
/// smaller by this: converting them afterwards leaves out what was given back.
///
/// - Parameters:
///   - onStage: Called as each stage begins, and with how far a long call in it is (0 to 1).
/// - Throws: `BuildError`, `TimedOut`, `CancellationError`. The disks may then be changed in part.
package func finish(
    _ disks: [GuestDisk], _ options: FinishOptions, _ settings: ApplianceSettings,
    onStage: @escaping @Sendable (FinishStage, Double?) -> Void = { _, _ in }
) async throws -> FinishResult {
    let stage = LatestStage(report: onStage)
    let names = disks.map(\.path).joined(separator: ", ")
    // A whole-disk filling with zeros would need this much; half of what is there stays free.
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
                    ? "The guest's own file system is full." : room < 16 << 20 ? "There is no room in TMPDIR." : nil,
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
                ? "no operating system was found on it"
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
                // What was put in with a secret in it is there because it was asked for.
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
