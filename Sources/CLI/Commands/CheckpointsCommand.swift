import ArgumentParser
import Checkpoints
import Foundation
import Pipeline
import Scopes
import Templates

import func ComponentModel.parseDiskSize

struct CheckpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoints", abstract: "Shows and removes what builds keep to start from.",
        discussion: """
            A build keeps the machine as it is after the installation and after every provisioner, and the next one \
            starts at the last stage that has not changed. They lie in ~/.cache/ingot/checkpoints \
            (INGOT_CHECKPOINTS names another folder) and take at most 50G (INGOT_CHECKPOINTS_SIZE).
            """,
        subcommands: [List.self, Status.self, Show.self, Prune.self, Remove.self], defaultSubcommand: List.self)

    /// - Returns: nil where no build has kept any yet.
    fileprivate static func store() throws -> CheckpointStore? {
        let path = StateFolders(environment: ProcessInfo.processInfo.environment).checkpoints
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try CheckpointStore(path: path)
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the checkpoints.")

        @Flag(help: "Prints one JSON object a line.")
        var json = false

        func run() throws {
            let all = try store()?.list() ?? []
            if json { return all.forEach { put(CheckpointText($0).json + "\n") } }
            if all.isEmpty { return print("There are no checkpoints.") }
            put(CheckpointText.table(all))
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Tells which stages of a template a build would run now, and why.")

        @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointFlags
        @OptionGroup var output: OutputOptions
        @OptionGroup var selection: SelectionOptions
        @OptionGroup var template: TemplateOptions

        func run() async throws {
            let loaded = try await template.loadForRun(selection: selection, force: true, output)
            let status = BuildStatus(
                context: loaded.context, options: try checkpoints.options(environment: loaded.context.environment),
                sinks: [])
            let builds = try await status.run(loaded.plan)
            for (name, outcome) in builds {
                print("\(name):")
                switch outcome {
                case .none(let reason): print("  no checkpoints are kept: \(reason)")
                case .stages(let stages): stages.forEach(show)
                }
            }
        }

        private func show(_ stage: StageStatus) {
            let what =
                stage.checkpoint.map { "from the checkpoint \($0.prefix(8))" }
                ?? "is run" + (stage.reason.map { ": \($0)" } ?? "")
            print("  \(stage.title): \(what)")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Tells all about one checkpoint.")

        @Argument(help: "Its id, or the beginning of it.")
        var id: String

        func run() throws {
            let all = try store()?.list() ?? []
            let found = all.filter { $0.id.hasPrefix(id) }
            guard let one = found.first, found.count == 1 else {
                throw UsageError(
                    message: found.isEmpty
                        ? "There is no checkpoint \(id); `ingot checkpoints` lists them."
                        : "\(found.count) checkpoints begin with \(id).")
            }
            put(CheckpointText(one).details(in: all))
        }
    }

    struct Prune: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prune", abstract: "Removes checkpoints that have not been used for long, or are too many.",
            discussion: "What a running build uses stays. Without options it removes what interrupted builds left.")

        @Option(help: ArgumentHelp("Removes those not used for longer than this, such as 7d.", valueName: "age"))
        var olderThan: String?

        @Option(
            help: ArgumentHelp("Removes those not used for longest until the rest takes no more.", valueName: "size"))
        var size: String?

        @Flag(help: "Removes all that no build uses right now.")
        var all = false

        func run() throws {
            var age: Duration?
            if let olderThan {
                age = parseAge(olderThan)
                if age == nil {
                    throw UsageError(message: "--older-than takes a time such as 12h or 30d, not “\(olderThan)”.")
                }
            }
            var limit: Int64? = all ? 0 : nil
            if let size {
                limit = parseDiskSize(size)
                if limit == nil { throw UsageError(message: "--size takes a size such as 20G, not “\(size)”.") }
            }
            let removed = try store()?.prune(limit: limit, olderThan: age) ?? []
            tell(removed)
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Removes checkpoints with all that stand on them.")

        @Argument(help: "Their ids, or the beginnings of them.")
        var ids: [String]

        func run() throws {
            let store = try store()
            let all = try store?.list() ?? []
            let chosen = try ids.map { id in
                let found = all.filter { $0.id.hasPrefix(id) }
                guard found.count == 1 else {
                    throw UsageError(
                        message: found.isEmpty
                            ? "There is no checkpoint \(id)." : "\(found.count) checkpoints begin with \(id).")
                }
                return found[0].id
            }
            guard let result = try store?.remove(ids: chosen) else { return }
            tell(result.removed)
            guard !result.inUse.isEmpty else { return }
            throw BuildError(
                "remove \(result.inUse.joined(separator: ", "))", because: "a build uses it right now",
                hint: "Wait for its end.")
        }
    }
}

private func tell(_ removed: [Removed]) {
    if removed.isEmpty { return print("Nothing had to be removed.") }
    for one in removed {
        print(
            "Removed \(one.id): \(one.title ?? "what an interrupted build left"), \(byteText(UInt64(max(0, one.bytes))))"
        )
    }
}
