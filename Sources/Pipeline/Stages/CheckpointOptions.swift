/// What the command line says about checkpoints.
package struct CheckpointOptions: Sendable {
    /// nil: on, else why not, in words.
    package var offBecause: String?
    /// A stage from which on nothing old is used.
    package var freshFrom: String?
    /// nil: no limit.
    package var maxAge: Duration?
    /// A stage after which the build stops, its checkpoint kept.
    package var until: String?
    /// The store's folder.
    package var store: String
    /// Bytes that checkpoints may take; those not used for longest go first.
    package var limit: Int64
    /// Told of the files that builds are made of.
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
}
