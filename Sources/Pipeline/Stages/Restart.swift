/// Why the machine is given up, and the build starts over from the deepest checkpoint that there is then.
enum Restart: Sendable, Equatable, CustomStringConvertible {
    /// The person at the terminal asked for it after a failure.
    case retry
    /// Another build has finished the stage that this one was about to run.
    case doneElsewhere
    /// The checkpoint that the machine was restored from is damaged, and is not used again.
    case damaged(String)
    /// The machine cannot be restored from its checkpoint.
    case unreachable(String)

    var description: String {
        switch self {
        case .retry: "trying again from the last checkpoint"
        case .doneElsewhere: "another build has finished this stage; going on from its checkpoint"
        case .damaged(let text): "the checkpoint that the machine came from is damaged: \(text)"
        case .unreachable(let text): "the machine could not be brought back from its checkpoint: \(text)"
        }
    }

    /// Whether the next machine is installed from the beginning, whatever checkpoints there are.
    var ignoresCheckpoints: Bool { if case .unreachable = self { true } else { false } }
}

/// What a part of a build gives that may have to start over.
enum Attempt<Value: Sendable>: Sendable {
    case done(Value)
    case restart(Restart)
}
