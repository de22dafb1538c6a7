internal import Crypto
import Foundation

/// One thing that a stage is made of.
///
/// `CheckpointStore.input` makes them. The key of a stage covers the digests in their order, not the labels: a script
/// that only got another name is no change. So where the name matters, as with a variable of the environment, the
/// digest has to cover it.
package struct StageInput: Sendable, Codable, Equatable {
    /// What people are told when it changed: "scripts/app.sh", "memory", "environment FOO". Never a secret.
    package var label: String
    /// Keyed with the store's secret, so that nothing of a secret can be guessed from it.
    package var digest: String

    package init(label: String, digest: String) {
        self.label = label
        self.digest = digest
    }
}

/// A piece of a build that changes the machine: the install, then each provisioner.
package struct Stage: Sendable, Equatable {
    /// "install", "provisioner 2: shell".
    package var title: String
    package var inputs: [StageInput]
    /// Why it can never be reused ("shell-local reads what it likes on this host"); nil where it can.
    package var unusable: String?
    /// Whether a checkpoint is made after it; else one of a later stage stands for it as well.
    package var isKept: Bool

    package init(title: String, inputs: [StageInput], unusable: String? = nil, isKept: Bool = true) {
        self.title = title
        self.inputs = inputs
        self.unusable = unusable
        self.isKept = isKept
    }
}

/// What a checkpoint belongs to, for people and for reasons; it is no part of a key.
package struct StageOwner: Sendable, Codable, Hashable {
    package var template: String
    package var build: String

    package init(template: String, build: String) {
        self.template = template
        self.build = build
    }
}

/// The digest of a stage's inputs and of those of all stages before it, as 64 hexadecimal digits.
package struct StageKey: Sendable, Codable, Hashable, CustomStringConvertible {
    package let text: String

    /// - Parameter previous: nil for the first stage.
    init(after previous: StageKey?, _ inputs: [StageInput]) {
        var hash = SHA256()
        // Every part is preceded by its length, so that no two lists of parts give the same bytes.
        func add(_ part: String) { hash.update(data: Data("\(part.utf8.count):\(part)".utf8)) }
        add("ingot stage 1")
        add(previous?.text ?? "")
        for input in inputs { add(input.digest) }
        text = hexadecimal(hash.finalize())
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        text = try container.decode(String.self)
        guard text.utf8.count == 64, text.allSatisfy(\.isHexDigit) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "this is no stage key")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }
}

/// The keys of a chain of stages. From the first stage that can never be reused on, they are nil.
package func stageKeys(_ stages: [Stage]) -> [StageKey?] {
    var keys: [StageKey?] = []
    for stage in stages {
        let isReusable = stage.unusable == nil && !keys.contains(nil)
        keys.append(isReusable ? StageKey(after: keys.last ?? nil, stage.inputs) : nil)
    }
    return keys
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}
