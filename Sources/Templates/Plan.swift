package import ComponentModel
package import GoTemplates
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
    /// Ingot's own: false where no checkpoint may replace it, true where one may although what it reads is unknown.
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
