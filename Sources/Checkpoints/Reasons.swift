import Foundation
import Scopes

extension ChainSearch {
    /// Why a stage has no checkpoint, by comparison with its latest one.
    func reasonForNone(_ index: Int) -> String {
        let parent = chain.last?.id
        let sameStage = manifests.filter { $0.owner == owner && $0.index == index }
        // The first stage of another build may have nothing in common with this one.
        let sameParent = manifests.filter { parent != nil && $0.parent == parent && $0.index == index }
        guard let last = latest(sameStage) ?? latest(sameParent) else {
            return manifests.contains { $0.owner == owner } ? "it has no checkpoint" : "there is no checkpoint yet"
        }
        let changes = changes(from: last.inputs, to: stages[index].inputs)
        if !changes.isEmpty { return changes }
        let isSame = stageKeys(stages)[index] == last.key
        return isSame ? "a stage before it was run again" : "a stage before it changed"
    }

    private func latest(_ manifests: [Manifest]) -> Manifest? {
        manifests.max { ($0.createdMilliseconds, $0.generation) < ($1.createdMilliseconds, $1.generation) }
    }

    /// "scripts/a.sh, memory changed; environment FOO was added"; empty where nothing changed.
    private func changes(from old: [StageInput], to new: [StageInput]) -> String {
        if old.map(\.digest) == new.map(\.digest) { return "" }
        func digests(of label: String, in inputs: [StageInput]) -> [String] {
            inputs.filter { $0.label == label }.map(\.digest)
        }
        var changed: [String] = []
        var added: [String] = []
        var removed: [String] = []
        var seen: Set<String> = []
        for label in (new + old).map(\.label) where seen.insert(label).inserted {
            let (before, after) = (digests(of: label, in: old), digests(of: label, in: new))
            if before == after { continue }
            if before.isEmpty {
                added.append(label)
            } else if after.isEmpty {
                removed.append(label)
            } else {
                changed.append(label)
            }
        }
        func phrase(_ labels: [String], _ one: String, _ many: String) -> String? {
            guard !labels.isEmpty else { return nil }
            let shown = labels.prefix(5).joined(separator: ", ")
            let rest = labels.count > 5 ? " and \(labels.count - 5) more" : ""
            return "\(shown)\(rest) \(labels.count == 1 ? one : many)"
        }
        var replaced: String?
        if let new = added.first, let old = removed.first, added.count == 1, removed.count == 1, kind(new) == kind(old)
        {
            replaced = "\(old) was replaced by \(new)"
            (added, removed) = ([], [])
        }
        let phrases = [
            phrase(changed, "changed", "changed"), replaced, phrase(added, "was added", "were added"),
            phrase(removed, "was removed", "were removed"),
        ].compactMap(\.self)
        return phrases.isEmpty ? "the order of its inputs changed" : phrases.joined(separator: "; ")
    }
}

/// What an input is, without its name: "environment" of "environment FOO", nothing of a file.
private func kind(_ label: String) -> String {
    label.split(separator: " ").dropLast().joined(separator: " ")
}

/// A duration as on the command line: "7d", "12h".
func limitText(_ limit: Duration) -> String {
    let seconds = limit.components.seconds
    for (unit, length) in [("d", Int64(86400)), ("h", 3600), ("m", 60)] where seconds > 0 && seconds % length == 0 {
        return "\(seconds / length)\(unit)"
    }
    return "\(seconds)s"
}
