import ComponentModel
import Diagnostics
import Scopes

/// The part of planning that HCL and JSON templates share: from evaluated options to the parts of a plan.
struct ComponentPlanner {
    private(set) var diagnostics: [Diagnostic] = []
    /// Places of values that nothing but a run or a data source knows.
    private(set) var unknowns: [SourceRange] = []
    /// What logs in at servers; to be concealed even where the template has it in plain text.
    private(set) var logins = SecretCollection()
    let options: LoadOptions
    let components: ComponentResolver
    private let failures: FailureRenderer
    /// The output directory of the image that each line of a checksum file is about.
    private var checksumFolders: [ChecksumEntry: String] = [:]
    private var skipped: [(name: String, type: String, range: SourceRange)] = []

    init(_ options: LoadOptions, components: ComponentResolver, failures: FailureRenderer) {
        self.options = options
        self.components = components
        self.failures = failures
    }

    mutating func report(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }

    mutating func report(_ more: [Diagnostic]) { diagnostics += more }

    mutating func noteUnknown(at ranges: [SourceRange?]) { unknowns += ranges.compactMap(\.self) }

    // MARK: Sources

    /// Whether a source of this type can be built; if not, it is reported at once or with all others that are skipped.
    mutating func isBuilt(_ type: String, at range: SourceRange, name: String, usedAt use: SourceRange) -> Bool {
        switch components.resolve(type, KnownComponents.sources) {
        case .builtIn: return true
        case .known: skipped.append((name, type, use))
        case .unknown(let hint):
            let word = components.plugins == nil ? "builder" : "source"
            report(
                Diagnostic(
                    id: "template/unknown-type", summary: "There is no \(word) type “\(type)”", detail: hint,
                    subject: range))
        }
        return false
    }

    mutating func reportSkipped(leaving count: Int) {
        guard let first = skipped.first else { return }
        var seen: Set<String> = []
        let list = skipped.map(\.name).filter { seen.insert($0).inserted }.joined(separator: ", ")
        if count > 0 {
            report(
                Diagnostic(
                    id: "template/skipped-source", severity: .warning,
                    summary: "Not built, since Ingot builds only qemu yet: \(list)", subject: first.range))
        } else if !diagnostics.hasErrors {
            report(
                Diagnostic(
                    id: "template/not-built-in", severity: options.isValidation ? .warning : .error,
                    summary: "There is nothing here that Ingot can build yet: \(list)",
                    detail: "Ingot knows the source type \(first.type), but builds only qemu.", subject: first.range))
        }
    }

    mutating func source(
        _ body: Diagnosed<OptionBody>, component: String, name: String, _ context: ComponentContext
    ) -> QemuSource {
        absorb(body)
        let reader = OptionReader(body.value, QemuSource.options, component: component, context: context.template)
        var decoder = QemuDecoder(reader, sourceName: name, context: context)
        let source = decoder.decode()
        diagnostics += decoder.reader.diagnostics
        return source
    }

    // MARK: Provisioners and post-processors

    /// Decides what becomes of a component's type; nil with a message if it cannot run.
    mutating func builtIn(
        _ type: String, at range: SourceRange, _ family: KnownComponents.Family
    ) -> (type: String, specs: [Option])? {
        switch components.resolve(type, family) {
        case .builtIn(let canonical, let specs): return (canonical, specs)
        case .known:
            report(
                Diagnostic(
                    id: "template/not-built-in", severity: options.isValidation ? .warning : .error,
                    summary: "The \(family.word) \"\(type)\" is known, but not built into Ingot yet",
                    detail: "Built in are: " + family.builtIn.keys.sorted().joined(separator: ", ") + ".",
                    subject: range))
        case .unknown(let hint):
            report(
                Diagnostic(
                    id: "template/unknown-type", summary: "There is no \(family.word) type “\(type)”", detail: hint,
                    subject: range))
        }
        return nil
    }

    mutating func provisioner(_ instance: ComponentInstance, _ meta: MetaAttributes) -> PlannedProvisioner {
        let (type, context) = (instance.type, instance.context)
        check(instance) { reader in _ = ProvisionerDecoder.decode(type, &reader, context) }
        let failures = failures
        return PlannedProvisioner(
            type: type, name: meta.name, pauseBefore: meta.pauseBefore,
            timeout: meta.pauseBefore == nil ? meta.timeout : nil, maxRetries: meta.maxRetries,
            continueOnError: meta.continueOnError, checkpoint: meta.checkpoint,
            settings: { data throws(TemplateFailure) in
                var (reader, diagnostics) = instance.read(data)
                let settings = ProvisionerDecoder.decode(type, &reader, context)
                return try failures.check(settings, diagnostics + reader.diagnostics)
            })
    }

    mutating func postProcessor(_ instance: ComponentInstance, _ meta: MetaAttributes) -> PlannedPostProcessor {
        let (type, context) = (instance.type, instance.context)
        var secrets: [Sensitive<String>] = []
        var checksums: (settings: ChecksumSettings, range: SourceRange?)?
        check(instance) { reader in
            switch PostProcessorDecoder.decode(type, &reader, context) {
            case .proxmoxUpload(let settings)?: secrets = settings.secrets
            case .checksum(let settings)?: checksums = (settings, reader.range("output"))
            default: break
            }
        }
        if let checksums { note(checksums.settings, at: checksums.range, context) }
        // Those that only a run knows are concealed then.
        for secret in secrets where !context.isOpen(secret.reveal()) { logins.insert(secret.reveal()) }
        let failures = failures
        return PlannedPostProcessor(
            type: type, name: meta.name, keepInputArtifact: meta.keepInputArtifact,
            settings: { data throws(TemplateFailure) in
                var (reader, diagnostics) = instance.read(data)
                let settings = PostProcessorDecoder.decode(type, &reader, context)
                return try failures.check(settings, diagnostics + reader.diagnostics)
            })
    }

    /// Warns where two builds add a file of the same name to the same list of checksums.
    private mutating func note(_ settings: ChecksumSettings, at range: SourceRange?, _ context: ComponentContext) {
        guard let source = context.source else { return }
        for type in settings.types {
            let data = [
                "BuildName": context.template.buildName ?? "", "BuilderType": context.template.buildType ?? "",
                "ChecksumType": type,
            ]
            // What cannot be rendered is reported where it is read.
            guard let path = try? renderTemplate(settings.output, data: data, context: context.template) else {
                continue
            }
            let entry = ChecksumEntry(list: context.absolute(path), type: type, image: source.vmName)
            guard let folder = checksumFolders[entry] else {
                checksumFolders[entry] = source.outputDirectory
                continue
            }
            if folder == source.outputDirectory { continue }
            report(
                Diagnostic(
                    id: "template/shared-checksums", severity: .warning,
                    summary: "Two builds add “\(source.vmName)” to the same checksum file, “\(path)”",
                    detail:
                        "Its lines cannot be told apart. Put {{ .BuildName }} into output, or give the sources different values of vm_name.",
                    subject: range))
        }
    }

    private mutating func check(_ instance: ComponentInstance, _ decode: (inout OptionReader) -> Void) {
        let body = instance.evaluate(nil)
        absorb(body)
        var reader = instance.reader(body.value)
        decode(&reader)
        diagnostics += reader.diagnostics
    }

    private mutating func absorb(_ body: Diagnosed<OptionBody>) {
        diagnostics += body.diagnostics
        unknowns += body.value.unknowns
    }
}

/// A line in a list of checksums: lists name files without their folders.
private struct ChecksumEntry: Hashable {
    var list: String
    var type: String
    var image: String
}
