/// A disk of a machine, for libguestfs to open.
package struct GuestDisk: Sendable, Hashable {
    /// The path of the image on this host.
    package var path: String
    /// `qcow2`, `raw` …; never detected, since a guest could make its raw disk look like another format.
    package var format: String

    package init(path: String, format: String) {
        self.path = path
        self.format = format
    }
}

/// How to run libguestfs's appliance, the small virtual machine that opens the disks.
package struct ApplianceSettings: Sendable {
    /// Whether KVM works on this host; otherwise the CPU is emulated.
    package var isAccelerated: Bool
    /// The folder for temporary files; nil for `TMPDIR`, or else /tmp.
    package var temporaryFolder: String?
    /// The folder in which the appliance is cached, some 400 MB; nil for `TMPDIR`, or else /var/tmp.
    package var cacheFolder: String?
    /// The path of a fixed appliance; nil for libguestfs's default.
    package var searchPath: String?
    /// Limits on the start and on the whole work.
    package var startLimit: Duration
    /// The most time for the whole work.
    package var limit: Duration

    package init(
        isAccelerated: Bool, temporaryFolder: String? = nil, cacheFolder: String? = nil, searchPath: String? = nil,
        startLimit: Duration = .seconds(600), limit: Duration = .seconds(3600)
    ) {
        self.isAccelerated = isAccelerated
        self.temporaryFolder = temporaryFolder
        self.cacheFolder = cacheFolder
        self.searchPath = searchPath
        self.startLimit = startLimit
        self.limit = limit
    }
}
