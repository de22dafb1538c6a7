package enum ProvisionerSettings: Sendable {
    case shell(ShellSettings)
    case file(FileSettings)
    case shellLocal(ShellLocalSettings)
    case breakpoint(note: String, isDisabled: Bool)
    case sleep(Duration)
}

package enum PostProcessorSettings: Sendable {
    case checksum(ChecksumSettings)
    case manifest(ManifestSettings)
    case proxmoxTemplate(ProxmoxArchiveSettings)
    case proxmoxUpload(ProxmoxUploadSettings)
    case shellLocal(ShellLocalSettings)
}

/// Where the text of a script comes from. Paths are relative to the working directory.
package enum Scripts: Sendable, Equatable {
    /// Rendered once more with the run's data, then joined by newlines.
    case inline([String])
    case files([String])
}

/// `provisioner "shell"`.
package struct ShellSettings: Sendable {
    package var scripts: Scripts
    /// Name and value, sorted by name; `env` won over `environment_vars`.
    package var environment: [(name: String, value: String)]
    /// nil: `chmod +x {{.Path}}; {{.Vars}} {{.Path}}`, or its form for an environment file.
    package var executeCommand: String?
    package var environmentFormat: String?
    package var useEnvironmentFile: Bool
    package var inlineShebang: String?
    package var remoteFolder: String
    package var remoteFile: String?
    package var remotePath: String?
    package var isBinary: Bool
    package var skipClean: Bool
    package var expectDisconnect: Bool
    package var validExitCodes: [Int]
    package var startRetryTimeout: Duration
    package var pauseAfter: Duration?
}

/// `provisioner "file"`.
package struct FileSettings: Sendable {
    package enum Direction: Sendable, Equatable { case upload, download }
    package var direction: Direction
    /// Uploaded under `destination` when set; excludes `sources`.
    package var content: String?
    package var sources: [String]
    package var destination: String
    package var isGenerated: Bool
}

/// `shell-local`, as provisioner and as post-processor.
package struct ShellLocalSettings: Sendable {
    package var scripts: Scripts
    package var environment: [(name: String, value: String)]
    /// nil: `["/bin/sh", "-c", "{{.Vars}} {{.Script}}"]`; one element is run by `sh -c`.
    package var executeCommand: [String]?
    package var environmentFormat: String?
    package var inlineShebang: String
    /// Operating systems it runs on, in Go's names; empty for all.
    package var onlyOn: [String]
    package var temporaryFileExtension: String
    package var validExitCodes: [Int]
}

/// `checksum`.
package struct ChecksumSettings: Sendable {
    /// Of md5 sha1 sha224 sha256 sha384 sha512.
    package var types: [String]
    /// A template over BuildName, BuilderType, ChecksumType.
    package var output: String
}

/// `manifest`.
package struct ManifestSettings: Sendable {
    package var output: String
    package var stripPath: Bool
    package var stripTime: Bool
    package var customData: [String: String]
}
