/// A disk of a machine, as libguestfs is to open it.
package struct GuestDisk: Sendable, Hashable {
    package var path: String
    /// `qcow2`, `raw` …; always given, since a guest could otherwise make its raw disk look like another format.
    package var format: String

    package init(path: String, format: String) {
        self.path = path
        self.format = format
    }
}

/// How libguestfs's appliance, the small machine in which disks are opened, is run.
package struct ApplianceSettings: Sendable {
    /// KVM works on this host; else the CPU is emulated.
    package var isAccelerated: Bool
    /// The folder for passing files; nil is `TMPDIR`, else /tmp.
    package var temporaryFolder: String?
    /// The folder in which the appliance is kept between runs, some 400 MB; nil is `TMPDIR`, else /var/tmp.
    package var cacheFolder: String?
    /// Where a fixed appliance is looked for; nil is libguestfs's own choice.
    package var searchPath: String?
    /// Limits on the start and on all that is done.
    package var startLimit: Duration
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
