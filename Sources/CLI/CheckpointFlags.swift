import ArgumentParser
import BootCommand
import Foundation
import Pipeline
import Templates

import func ComponentModel.parseDiskSize

/// The flags that control the use of checkpoints.
struct CheckpointFlags: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: "Starts at the last stage with a valid checkpoint, and keeps new ones; off by default where CI is set.")
    var checkpoints: Bool?

    @Option(
        help: ArgumentHelp(
            "Runs this stage and all later ones again: install, or a provisioner's number or name.", valueName: "stage")
    )
    var freshFrom: String?

    @Option(
        help: ArgumentHelp(
            "Uses no checkpoint older than this, such as 12h or 30d; by default 7d, 0 for no limit.", valueName: "age")
    )
    var maxAge: String?

    @Option(
        help: ArgumentHelp("Stops after this stage, and keeps its checkpoint; no image is made.", valueName: "stage"))
    var until: String?

    /// The options of a build's checkpoints.
    ///
    /// - Throws: `UsageError` for an age or a size that cannot be read.
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

/// Reads an age: a Go duration, or a number of days or weeks such as `7d`, `2w`; nil if it is neither.
func parseAge(_ text: String) -> Duration? {
    if text == "0" { return .zero }
    for (unit, seconds) in [("d", 86400.0), ("w", 604_800)] where text.hasSuffix(unit) {
        guard let count = Double(text.dropLast()), count >= 0, count < 1e6 else { return nil }
        return .seconds(count * seconds)
    }
    return parseGoDuration(text).flatMap { $0 >= .zero ? $0 : nil }
}
