import Checkpoints
import Foundation
import Pipeline
import Scopes

/// What the terminal shows of a checkpoint.
struct CheckpointText {
    private let checkpoint: StoredCheckpoint

    init(_ checkpoint: StoredCheckpoint) { self.checkpoint = checkpoint }

    /// A table with a line for each, and the totals.
    static func table(_ all: [StoredCheckpoint]) -> String {
        var rows = [["ID", "STAGE", "MADE", "SIZE", "LAST USE", "BELONGS TO"]]
        rows += all.map { one in
            let text = Self(one)
            return [
                String(one.id.prefix(8)), text.stage, text.made, byteText(UInt64(max(0, one.bytes))),
                text.ago(one.lastUse), text.owner,
            ]
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
                .joined(separator: "  ").trimmingCharacters(in: .whitespaces)
        }
        let total = all.reduce(0) { $0 + $1.bytes }
        let count = all.count == 1 ? "1 checkpoint" : "\(all.count) checkpoints"
        return lines.joined(separator: "\n") + "\n\(count), \(byteText(UInt64(max(0, total)))) in total\n"
    }

    /// What `checkpoints show` prints.
    ///
    /// - Parameter all: The checkpoints among which its parent is.
    func details(in all: [StoredCheckpoint]) -> String {
        var lines = [
            "id:          \(checkpoint.id)", "stage:       \(stage)", "belongs to:  \(owner)",
            "made:        \(checkpoint.manifest.map { timestampText($0.created) } ?? "?") (\(made))",
            "last use:    \(ago(checkpoint.lastUse))\(checkpoint.isInUse ? ", in use now" : "")",
            "size:        \(byteText(UInt64(max(0, checkpoint.bytes))))", "folder:      \(checkpoint.folder)",
        ]
        if let parent = checkpoint.parent, let stage = all.first(where: { $0.id == parent }).map({ Self($0).stage }) {
            lines.append("parent:      \(parent.prefix(8)) (\(stage))")
        }
        if let damage = checkpoint.damage { lines.append("not usable:  \(damage)") }
        guard let manifest = checkpoint.manifest else { return lines.joined(separator: "\n") + "\n" }
        lines.append("took:        \(Duration.seconds(manifest.seconds).text)")
        if let memory = manifest.memory {
            let terms = memory.requirements.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            lines.append("memory:      \(byteText(UInt64(max(0, memory.size)))), for \(terms.joined(separator: ", "))")
        } else {
            lines.append("memory:      not kept; a build boots the disks")
        }
        lines.append("inputs:")
        lines += manifest.inputs.map { "  \($0.digest.prefix(12))  \($0.label)" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One line: its stage and what it belongs to.
    var summary: String { "\(stage), \(owner)" }

    /// A JSON object on one line.
    var json: String {
        jsonObject([
            "id": .string(checkpoint.id), "stage": .optional(checkpoint.manifest?.title),
            "damage": .optional(checkpoint.damage), "template": .optional(checkpoint.manifest?.owner.template),
            "build": .optional(checkpoint.manifest?.owner.build), "bytes": .integer(checkpoint.bytes),
            "created": .optional(checkpoint.manifest.map { timestampText($0.created) }),
            "last_use": .string(timestampText(checkpoint.lastUse)), "in_use": .bool(checkpoint.isInUse),
            "parent": .optional(checkpoint.parent), "folder": .string(checkpoint.folder),
        ])
    }

    private var stage: String {
        let title = checkpoint.manifest?.title ?? "the machine of a failed build"
        return checkpoint.damage == nil ? title : title + " (not usable)"
    }

    private var owner: String {
        guard let owner = checkpoint.manifest?.owner else { return "?" }
        let home = (ProcessInfo.processInfo.environment["HOME"] ?? "") + "/"
        let template =
            home.count > 1 && owner.template.hasPrefix(home)
            ? "~/" + owner.template.dropFirst(home.count) : owner.template
        return "\(owner.build) in \(template)"
    }

    private var made: String { checkpoint.manifest.map { ago($0.created) } ?? "?" }

    private func ago(_ date: Date) -> String {
        Duration.seconds(max(0, Date().timeIntervalSince(date)).rounded()).agoText
    }
}
