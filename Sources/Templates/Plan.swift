package import Scopes

/// A template evaluated: typed, validated, every value known, secrets marked. The only thing the pipeline reads.
package struct Plan: Sendable {
    /// The builds to run, in the template's order, after `-only` and `-except`.
    package var builds: [PlannedBuild]
    /// Text that must not be shown: the leaves of every sensitive variable and local, longest first.
    package var secrets: [Sensitive<String>]

    package init(builds: [PlannedBuild], secrets: [Sensitive<String>]) {
        self.builds = builds
        self.secrets = secrets
    }
}

/// One source built once.
package struct PlannedBuild: Sendable {
    /// What the console shows and `-only` matches: `[BUILD.]TYPE.USE_NAME`.
    package var name: String
    /// The build block's `name`, or "".
    package var blockName: String
    /// The source's type, such as `qemu`.
    package var sourceType: String
    /// The source block's own name: `PACKER_BUILD_NAME`, default file names.
    package var sourceName: String
    /// `source.name`: the build-level `name` if it has one, else `sourceName`.
    package var useName: String
    package var source: QemuSource
    /// In order, those that `only` and `except` leave for this source.
    package var provisioners: [PlannedProvisioner]
    package var errorCleanupProvisioner: PlannedProvisioner?
    /// Chains of post-processors; each chain starts from the machine's artifact.
    package var postProcessors: [[PlannedPostProcessor]]
    /// What late-rendered options see beside their own data: `build_name`, and in JSON templates `user` and `template_dir`.
    package var templateContext: TemplateContext

    /// Renders an option that was left as a template, such as a boot command or `execute_command`.
    package func render(_ text: String, data: [String: String]) throws(GoTemplateError) -> String {
        var context = templateContext
        // Only JSON templates have `build`.
        if context.templateDirectory != nil { context.runData = data }
        return try renderTemplate(text, data: data, context: context)
    }
}

/// A provisioner with its meta attributes; its options are evaluated again when it runs.
package struct PlannedProvisioner: Sendable {
    package var type: String
    package var name: String?
    package var pauseBefore: Duration?
    /// Per attempt; Packer ignores it when `pause_before` is set, and so does this (it is nil then).
    package var timeout: Duration?
    package var maxRetries: Int
    package var continueOnError: Bool
    /// Ingot's own: false where no checkpoint may stand for it, true where one may although nobody knows what it reads.
    package var checkpoint: Bool?
    /// The settings, with `build.*` as given. Late-rendered strings (`execute_command`, `inline`) are still templates.
    package var settings: @Sendable (RunData) throws(TemplateFailure) -> ProvisionerSettings
}

/// A post-processor with its meta attributes.
package struct PlannedPostProcessor: Sendable {
    package var type: String
    package var name: String?
    package var keepInputArtifact: Bool?
    package var settings: @Sendable (RunData) throws(TemplateFailure) -> PostProcessorSettings
}

/// What `build.*` gives to provisioners and post-processors (Packer's run-time data).
package struct RunData: Sendable {
    package var id: String
    package var host: String
    package var port: Int
    package var user: String
    package var password: Sensitive<String>
    /// `ssh`, `winrm` or `none`.
    package var connectionType: String
    package var runUUID: String
    package var httpIP: String
    /// "0" without a server.
    package var httpPort: String
    package var sshPublicKey: String
    package var sshPrivateKey: Sensitive<String>

    package init(
        id: String, host: String, port: Int, user: String, password: Sensitive<String>, connectionType: String,
        runUUID: String, httpIP: String, httpPort: String, sshPublicKey: String, sshPrivateKey: Sensitive<String>
    ) {
        self.id = id
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.connectionType = connectionType
        self.runUUID = runUUID
        self.httpIP = httpIP
        self.httpPort = httpPort
        self.sshPublicKey = sshPublicKey
        self.sshPrivateKey = sshPrivateKey
    }
}

/// Options that were fine when the template was checked and are wrong with the values of the run.
///
/// Carries the rendered diagnostics.
package struct TemplateFailure: Error, Sendable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

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

/// `shell` (packer-compat 8.2).
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

/// `file` (packer-compat 8.3).
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
