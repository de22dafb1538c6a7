import Checkpoints
import Diagnostics
import Libvirt
import Machines
import Scopes
package import Templates

/// The chain of a build's stages: the installation, then every provisioner.
package struct BuildStages: Sendable {
    struct Entry: Sendable {
        var stage: Stage
        var changesGuest: Bool
        /// Absolute paths of what it leaves on this host.
        var downloads: [String]
    }

    var entries: [Entry]

    var stages: [Stage] { entries.map(\.stage) }

    /// The stages of a build, with everything they are made of as it is on the disk now.
    static func collect(
        _ scope: BuildScope, _ hardware: MachineDescription, medium: Medium, store: CheckpointStore
    ) async throws -> BuildStages {
        let (build, context, files) = (scope.plan, scope.context, scope.options.checkpoints.files)
        let install = InstallStage(source: build.source, context: context, store: store, files: files)
        let inputs = try await install.inputs(hardware, medium: medium)
        var entries = [
            Entry(
                stage: Stage(title: Self.install, inputs: inputs, unusable: nil), changesGuest: true,
                downloads: [])
        ]
        // The inputs of the stages since the last checkpoint: the next checkpoint stands for those as well.
        var pending: [StageInput] = []
        for (index, planned) in build.provisioners.enumerated() {
            let inputs = try await ProvisionerStage(
                planned: planned, build: build, context: context, store: store, files: files
            ).inputs()
            let title = title(index, planned)
            let all = inputs.all + (inputs.changesGuest ? pending : [])
            if inputs.changesGuest {
                pending = []
            } else {
                pending += inputs.all.map { StageInput(label: "\(title): \($0.label)", digest: $0.digest) }
            }
            entries.append(
                Entry(
                    stage: Stage(
                        title: title, inputs: all, unusable: inputs.unusable, isKept: inputs.changesGuest),
                    changesGuest: inputs.changesGuest,
                    downloads: inputs.downloads))
        }
        return BuildStages(entries: entries)
    }

    /// Notes every file that a build is made of, also where the build cannot be run.
    static func noteFiles(of scope: BuildScope) async {
        guard let files = scope.options.checkpoints.files else { return }
        await InstallStage(source: scope.source, context: scope.context, store: nil, files: files).noteFiles()
        for planned in scope.plan.provisioners {
            // What is wrong with a provisioner is reported by the build.
            _ = try? await ProvisionerStage(
                planned: planned, build: scope.plan, context: scope.context, store: nil, files: files
            ).inputs()
        }
    }

    static let install = "install"

    static func title(_ index: Int, _ planned: PlannedProvisioner) -> String {
        "provisioner \(index + 1): \(planned.title)"
    }

    /// What `--until`, `--fresh-from` and `ingot shell` take for the stages of a build, each with its title.
    package static func names(of build: PlannedBuild) -> [(name: String, title: String)] {
        [(install, "")]
            + build.provisioners.enumerated().flatMap { index, planned in
                [String(index + 1), planned.name].compactMap(\.self).map { ($0, title(index, planned)) }
            }
    }

    /// The stage that a person names: `install`, a provisioner's number, its name, or its type where only one has it.
    ///
    /// - Throws: `BuildError` that lists the stages.
    static func index(of name: String, in build: PlannedBuild) throws -> Int {
        if name == install { return 0 }
        let provisioners = build.provisioners
        if let number = Int(name.replacing("provisioner ", with: "")), provisioners.indices.contains(number - 1) {
            return number
        }
        let titles = provisioners.indices.map { title($0, provisioners[$0]) }
        let matches = [
            provisioners.indices.filter { provisioners[$0].name == name },
            provisioners.indices.filter { provisioners[$0].type == name },
            provisioners.indices.filter { titles[$0] == name },
        ]
        if let match = matches.first(where: { $0.count == 1 })?.first { return match + 1 }
        let several = matches.map(\.count).max() ?? 0
        let names = [install] + provisioners.flatMap { [$0.name, $0.type].compactMap(\.self) } + titles
        let meant = several > 1 ? nil : suggestion(for: name, among: names)
        throw BuildError(
            "find the stage “\(name)” of \(build.name)",
            because: several > 1
                ? "\(several) of its provisioners are called that" : "it has no stage of that name",
            hint: (meant.map { "Did you mean “\($0)”?\n  " } ?? "")
                + "Its stages are \(([install] + titles).joined(separator: ", ")). Name a provisioner by its number or its "
                + "name.")
    }
}

extension PlannedProvisioner {
    /// "shell", or "setup (shell)" where it has a name.
    var title: String { name.map { "\($0) (\(type))" } ?? type }
}

extension PlannedPostProcessor {
    /// "checksum", or "sums (checksum)" where it has a name.
    var title: String { name.map { "\($0) (\(type))" } ?? type }
}
