import Checkpoints

/// The stage that a machine is in: where it writes to, and what its checkpoint will say.
struct StageInProgress: Sendable {
    /// What the machine writes to.
    var disks: Disks
    /// The stage's folder in the store; nil without checkpoints.
    var folder: StageFolder?
    /// What the checkpoints of this machine say about it.
    var details: [String: String] = [:]
    var began = ContinuousClock.now
    /// Absolute paths of what provisioners have downloaded to this host since the last checkpoint.
    var downloads: [String] = []
}
