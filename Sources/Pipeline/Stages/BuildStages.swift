import Checkpoints
import Libvirt
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

    /// What a build is made of, as it is on the disk now.
    static func collect(
        _ build: PlannedBuild, _ hardware: MachineDescription, medium: Medium, context: RunContext,
        store: CheckpointStore, files: NamedFiles?
    ) async throws -> BuildStages {
        let install = InstallStage(source: build.source, context: context, store: store, files: files)
        let inputs = try await install.inputs(hardware, medium: medium)
        var entries = [
            Entry(
                stage: Stage(title: Self.install, inputs: inputs, unusable: nil), changesGuest: true,
                downloads: [])
        ]
        // Of the stages since the last that is kept: the next checkpoint stands for them, so it tells of them as well.
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

    /// The stage that a person means: `install`, a provisioner's number, its name, or its type where only one has it.
    ///
    /// - Throws: `BuildError` that lists the stages.
    static func index(of name: String, in build: PlannedBuild) throws -> Int {
        if name == install { return 0 }
        let provisioners = build.provisioners
        if let number = Int(name.replacing("provisioner ", with: "")), provisioners.indices.contains(number - 1) {
            return number
        }
        for matches in [
            provisioners.indices.filter { provisioners[$0].name == name },
            provisioners.indices.filter { provisioners[$0].type == name },
            provisioners.indices.filter { title($0, provisioners[$0]) == name },
        ]
        where matches.count == 1 {
            return matches[0] + 1
        }
        let all = [install] + provisioners.indices.map { title($0, provisioners[$0]) }
        throw BuildError(
            "find the stage “\(name)” of \(build.name)", because: "it has none of that name",
            hint: "Its stages are \(all.joined(separator: ", ")). Name a provisioner by its number or its name.")
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
