import Checkpoints

/// Where a machine comes from: nothing, or the checkpoint after the stages that need not be run.
struct StartingPoint: Sendable {
    /// The first stage to run.
    var next: Int
    var checkpoint: Checkpoint?

    static let beginning = StartingPoint(next: 0, checkpoint: nil)
}

/// What the machine writes to right now.
struct Frontier: Sendable {
    var disks: Disks
    /// The stage's folder in the store; nil without checkpoints.
    var folder: StageFolder?
    /// What the checkpoints of this machine say about it, and the next of them.
    var details: [String: String] = [:]
    /// Since when the stage runs.
    var began = ContinuousClock.now
    /// What downloads have left on this host since the last checkpoint.
    var downloads: [String] = []
}
