import ArgumentParser
import BootCommand
import Foundation
import Pipeline
import Templates

import func ComponentModel.parseDiskSize

/// The flags of `build` that say how checkpoints are used.
struct CheckpointFlags: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: "Starts at the last stage whose checkpoint still applies, and keeps new ones; off where CI is set.")
    var checkpoints: Bool?

    @Option(
        help: ArgumentHelp(
            "Runs this stage and all after it anew: install, or a provisioner's number or name.", valueName: "stage"))
    var freshFrom: String?

    @Option(
        help: ArgumentHelp(
            "Uses no checkpoint older than this, such as 12h or 30d; 7d if not given, 0 is no limit.", valueName: "age")
    )
    var maxAge: String?

    @Option(
        help: ArgumentHelp("Stops after this stage, and keeps its checkpoint; no image is made.", valueName: "stage"))
    var until: String?

    /// - Throws: `UsageError` for an age that is none.
    func options(environment: [String: String]) throws -> CheckpointOptions {
        let folders = StateFolders(environment: environment)
        var options = CheckpointOptions(freshFrom: freshFrom, until: until, store: folders.checkpoints)
        if let maxAge {
            guard let age = parseAge(maxAge) else {
                throw UsageError(message: "--max-age takes a time such as 90m, 12h or 30d, not “\(maxAge)”.")
            }
            options.maxAge = age == .zero ? nil : age
        }
        if let limit = environment["INGOT_CHECKPOINTS_SIZE"], !limit.isEmpty {
            guard let bytes = parseDiskSize(limit) else {
                throw UsageError(message: "INGOT_CHECKPOINTS_SIZE takes a size such as 50G, not “\(limit)”.")
            }
            options.limit = bytes
        }
        options.offBecause = offBecause(environment)
        return options
    }

    private func offBecause(_ environment: [String: String]) -> String? {
        if checkpoints == false { return "--no-checkpoints" }
        let isCI = !["", "0", "false"].contains(environment["CI"]?.lowercased() ?? "")
        return isCI && checkpoints == nil ? "CI is set; --checkpoints turns them on" : nil
    }
}

/// A time as `parseGoDuration` takes it, or a number of days or weeks: `7d`, `2w`.
func parseAge(_ text: String) -> Duration? {
    if text == "0" { return .zero }
    for (unit, seconds) in [("d", 86400.0), ("w", 604_800)] where text.hasSuffix(unit) {
        guard let count = Double(text.dropLast()), count >= 0, count < 1e6 else { return nil }
        return .seconds(count * seconds)
    }
    return parseGoDuration(text).flatMap { $0 >= .zero ? $0 : nil }
}
