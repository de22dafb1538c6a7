import Checkpoints
import Foundation
import Pipeline
import Scopes

/// A checkpoint in words.
struct CheckpointText {
    private let checkpoint: StoredCheckpoint

    init(_ checkpoint: StoredCheckpoint) { self.checkpoint = checkpoint }

    /// All of them, one a line.
    static func table(_ all: [StoredCheckpoint]) -> String {
        var rows = [["ID", "STAGE", "AGE", "SIZE", "LAST USE", "BELONGS TO"]]
        rows += all.map { one in
            let text = Self(one)
            return [
                String(one.id.prefix(8)), text.stage, text.age, byteText(UInt64(max(0, one.bytes))),
                text.ago(one.lastUse),
                text.owner,
            ]
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
                .joined(separator: "  ").trimmingCharacters(in: .whitespaces)
        }
        let total = all.reduce(0) { $0 + $1.bytes }
        return lines.joined(separator: "\n") + "\n\(all.count) of them, \(byteText(UInt64(max(0, total)))) in all\n"
    }

    /// - Parameter all: Where to look for what it stands on.
    func details(in all: [StoredCheckpoint]) -> String {
        var lines = [
            "id:          \(checkpoint.id)", "stage:       \(stage)", "belongs to:  \(owner)",
            "made:        \(checkpoint.manifest.map { timestampText($0.created) } ?? "?") (\(age) ago)",
            "last use:    \(ago(checkpoint.lastUse)) ago\(checkpoint.isInUse ? ", in use right now" : "")",
            "size:        \(byteText(UInt64(max(0, checkpoint.bytes))))", "folder:      \(checkpoint.folder)",
        ]
        if let parent = checkpoint.parent, let stage = all.first(where: { $0.id == parent }).map({ Self($0).stage }) {
            lines.append("stands on:   \(parent.prefix(8)) (\(stage))")
        }
        if let damage = checkpoint.damage { lines.append("not usable:  \(damage)") }
        guard let manifest = checkpoint.manifest else { return lines.joined(separator: "\n") + "\n" }
        lines.append("took:        \(Duration.seconds(manifest.seconds).text)")
        if let memory = manifest.memory {
            let terms = memory.requirements.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            lines.append("memory:      \(byteText(UInt64(max(0, memory.size)))), for \(terms.joined(separator: ", "))")
        } else {
            lines.append("memory:      none; its disks are booted")
        }
        lines.append("made of:")
        lines += manifest.inputs.map { "  \($0.digest.prefix(12))  \($0.label)" }
        return lines.joined(separator: "\n") + "\n"
    }

    var json: String {
        jsonObject([
            "id": checkpoint.id, "stage": checkpoint.manifest?.title ?? "", "damage": checkpoint.damage ?? "",
            "template": checkpoint.manifest?.owner.template ?? "", "build": checkpoint.manifest?.owner.build ?? "",
            "bytes": String(checkpoint.bytes), "created": checkpoint.manifest.map { timestampText($0.created) } ?? "",
            "last_use": timestampText(checkpoint.lastUse), "in_use": String(checkpoint.isInUse),
            "parent": checkpoint.parent ?? "", "folder": checkpoint.folder,
        ])
    }

    private var stage: String {
        let title = checkpoint.manifest?.title ?? "a failed build's machine"
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

    private var age: String { checkpoint.manifest.map { ago($0.created) } ?? "?" }

    private func ago(_ date: Date) -> String {
        let seconds = max(0, Date().timeIntervalSince(date)).rounded()
        return seconds < 48 * 3600 ? Duration.seconds(seconds).text : "\(Int(seconds / 86400)) days"
    }
}
