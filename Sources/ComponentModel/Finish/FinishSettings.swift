/// `finish`, Ingot's own: what is done to the image once the machine is off, with every default filled in.
package struct FinishSettings: Sendable {
    /// What of generalising can be left out, by the names that `keep` takes.
    package enum Part: String, CaseIterable, Sendable {
        case machineID = "machine-id"
        case sshHostKeys = "ssh-host-keys"
        case leases = "dhcp-leases"
        case logs
        case randomSeed = "random-seed"
        case cloudInit = "cloud-init"
        case history = "shell-history"
        case networkRules = "udev-rules"
        case packageCaches = "package-caches"
        case temporaryFiles = "temporary-files"
        case identities
    }

    /// What becomes of what is found: nothing is looked for, a warning, or an error.
    package enum Check: String, CaseIterable, Sendable { case off, warn, error }
    package enum BillFormat: String, CaseIterable, Sendable { case spdx, cyclonedx }
    package enum HostName: Equatable, Sendable {
        case keep, clear
        case set(String)
    }

    package var generalises: Bool
    package var keptParts: Set<Part>
    /// Further paths or shell patterns of the guest to remove, absolute.
    package var removedPaths: [String]
    package var shrinks: Bool
    package var zeroesFreeSpace: Bool
    package var clearsSwap: Bool
    /// Disks end where the least that their last file system needs ends.
    package var resizesToMinimum: Bool
    package var inspects: Bool
    package var bills: [BillFormat]
    package var check: Check
    /// Public keys that `check` does not mind.
    package var permittedKeys: [String]
    package var hostName: HostName
    /// Paths in the guest, with a file of this host.
    package var files: [String: String]
    /// Paths in the guest, with the text that goes there.
    package var fileContent: [String: String]
    /// Files of this host.
    package var firstBootScripts: [String]
    /// Users of the guest, with the keys they may enter with.
    package var authorizedKeys: [(user: String, key: String)]
    /// nil: left as they are.
    package var cloudInitDatasources: [String]?
    package var timeout: Duration
}
