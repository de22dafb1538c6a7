import Templates

/// What the command line says about checkpoints.
package struct CheckpointOptions: Sendable {
    /// Why checkpoints are off; nil where they are on.
    package var offBecause: String?
    /// The stage from which on no checkpoint is used.
    package var freshFrom: String?
    /// nil: no limit.
    package var maxAge: Duration?
    /// The stage after which the build stops, with its checkpoint kept.
    package var until: String?
    /// The store's folder.
    package var store: String
    /// Bytes that checkpoints may take; those not used for longest go first.
    package var limit: Int64
    /// Collects the files that builds are made of.
    package var files: NamedFiles?

    package init(
        offBecause: String? = nil, freshFrom: String? = nil, maxAge: Duration? = .seconds(7 * 86400),
        until: String? = nil, store: String, limit: Int64 = 50 << 30
    ) {
        self.offBecause = offBecause
        self.freshFrom = freshFrom
        self.maxAge = maxAge
        self.until = until
        self.store = store
        self.limit = limit
    }

    /// The stages that the options name, as their places in the chain of a build; 0 is the installation.
    ///
    /// - Throws: `BuildError` for a name that the build does not have.
    func stages(of build: PlannedBuild) throws -> (freshFrom: Int?, until: Int?) {
        (
            try freshFrom.map { try BuildStages.index(of: $0, in: build) },
            try until.map { try BuildStages.index(of: $0, in: build) }
        )
    }
}
