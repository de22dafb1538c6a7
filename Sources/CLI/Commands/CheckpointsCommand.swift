import ArgumentParser
import Checkpoints
import Foundation
import Pipeline
import Scopes
import Templates

import func ComponentModel.parseDiskSize

struct CheckpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoints", abstract: "Lists, explains and removes the checkpoints that builds keep.",
        discussion: """
            A build keeps the machine as it is after the installation and after every provisioner, and the next build \
            starts at the last stage that has not changed. Checkpoints are in ~/.cache/ingot/checkpoints \
            (INGOT_CHECKPOINTS names another folder) and take at most 50G (INGOT_CHECKPOINTS_SIZE).
            """,
        subcommands: [List.self, Status.self, Show.self, Prune.self, Remove.self], defaultSubcommand: List.self)

    /// The checkpoints of this host; nil if no build has kept one yet.
    static func store() throws -> CheckpointStore? {
        let path = StateFolders(environment: ProcessInfo.processInfo.environment).checkpoints
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try CheckpointStore(path: path)
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the checkpoints.")

        @Flag(help: "Prints one JSON object per line.")
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
            commandName: "status", abstract: "Shows which stages a build of the template would run now, and why.")

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
                case .none(let reason): print("  no checkpoints: \(reason)")
                case .stages(let stages): stages.forEach(show)
                }
            }
        }

        private func show(_ stage: StageStatus) {
            let what =
                stage.checkpoint.map { "from the checkpoint \($0.prefix(8))" }
                ?? "runs" + (stage.reason.map { ": \($0)" } ?? "")
            print("  \(stage.title): \(what)")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Shows the details of a checkpoint.")

        @Argument(help: "The id of the checkpoint, or its beginning.")
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
            commandName: "prune", abstract: "Removes checkpoints by age or total size.",
            discussion:
                "Checkpoints in use are not removed. Without options, only the remains of interrupted builds are.")

        @Option(
            help: ArgumentHelp(
                "Removes checkpoints that have not been used for longer than this, such as 7d.", valueName: "age"))
        var olderThan: String?

        @Option(
            help: ArgumentHelp(
                "Removes the least recently used checkpoints until the others take no more than this.",
                valueName: "size"))
        var size: String?

        @Flag(help: "Removes all checkpoints that no build is using.")
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
            printRemoved(removed)
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Removes checkpoints and all that depend on them.")

        @Argument(help: "The ids of the checkpoints, or their beginnings.")
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
            printRemoved(result.removed)
            guard !result.inUse.isEmpty else { return }
            throw BuildError(
                "remove \(result.inUse.joined(separator: ", "))", because: "a build is using it",
                hint: "Wait until that build has ended.")
        }
    }
}

private func printRemoved(_ removed: [Removed]) {
    if removed.isEmpty { return print("Nothing to remove.") }
    for one in removed {
        print(
            "Removed \(one.id): \(one.title ?? "the remains of an interrupted build"), \(byteText(UInt64(max(0, one.bytes))))"
        )
    }
}
