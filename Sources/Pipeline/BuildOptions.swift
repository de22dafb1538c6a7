/// What to do when a step fails.
package enum OnError: String, Sendable, CaseIterable {
    case cleanup, abort, ask
    case runCleanupProvisioner = "run-cleanup-provisioner"
}

/// Flags of `ingot build` that every build obeys.
package struct BuildOptions: Sendable {
    package var onError: OnError
    /// `--connect`: beats `libvirt_uri` of a source and `LIBVIRT_DEFAULT_URI`.
    package var connectURI: String?
    package var checkpoints: CheckpointOptions

    package init(onError: OnError, connectURI: String?, checkpoints: CheckpointOptions) {
        self.onError = onError
        self.connectURI = connectURI
        self.checkpoints = checkpoints
    }
}
