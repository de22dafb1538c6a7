import Checkpoints
import Scopes

/// Where the machine of a build starts.
struct StartingPoint: Sendable {
    /// The first stage that is run; 0 is the installation.
    var next: Int
    /// The machine is restored from it; nil: it is booted from the installation medium.
    var checkpoint: Checkpoint?
    /// Makes the checkpoints of the machine; nil: none are used or kept.
    var recorder: CheckpointRecorder?

    static let withoutCheckpoints = StartingPoint(next: 0)
}

/// How often a build has started over.
struct Restarts {
    private var count = 0
    private var isUnreachable = false

    /// Whether the next machine is installed from the beginning: a build that keeps starting over has to do without the
    /// store.
    var ignoresCheckpoints: Bool { isUnreachable || count > 20 }

    /// - Throws: `CancellationError`.
    mutating func add(_ restart: Restart, _ reporter: Reporter) throws {
        try Task.checkCancellation()
        reporter.news("\(restart)")
        count += 1
        if restart.ignoresCheckpoints { isUnreachable = true }
    }
}
