/// The machine is given up, and the build goes on from the deepest checkpoint that there is now.
struct Restart: Error, CustomStringConvertible {
    enum Reason {
        /// A person asked for it after a failure.
        case retry
        /// Another build has done meanwhile what this one was about to do.
        case doneElsewhere
        /// What the machine stands on is damaged; it is not used again.
        case damaged(String)
        /// The machine cannot be brought back from its checkpoint.
        case unreachable(String)
    }
    var reason: Reason

    var description: String {
        switch reason {
        case .retry: "trying again from the last checkpoint"
        case .doneElsewhere: "another build was at this stage; going on from what it has left"
        case .damaged(let text): "the checkpoint that the machine came from is damaged: \(text)"
        case .unreachable(let text): "the machine could not be brought back from its checkpoint: \(text)"
        }
    }

    /// Whether checkpoints are of no use to this build any more.
    var startsOver: Bool { if case .unreachable = reason { true } else { false } }
}
