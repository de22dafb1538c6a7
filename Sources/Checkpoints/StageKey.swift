internal import Crypto
import Foundation

/// An input of a stage.
///
/// `CheckpointStore.input` makes inputs. The key of a stage covers the digests in their order, not the labels: renaming a
/// script changes nothing. So if the name matters, as that of an environment variable, the digest must cover it.
package struct StageInput: Sendable, Codable, Equatable {
    /// Its name in messages about changes: "scripts/app.sh", "memory", "environment FOO". Never a secret.
    package var label: String
    /// A digest keyed with the store's secret, so that secrets cannot be guessed from it.
    package var digest: String

    package init(label: String, digest: String) {
        self.label = label
        self.digest = digest
    }
}

/// A part of a build that changes the machine: the installation, or a provisioner.
package struct Stage: Sendable, Equatable {
    /// Its title in messages: "install", "provisioner 2: shell".
    package var title: String
    /// In the order that the key covers.
    package var inputs: [StageInput]
    /// Why it can never be reused; nil if it can.
    package var unusable: String?
    /// Whether a checkpoint is made after it; otherwise that of a later stage covers it as well.
    package var isKept: Bool

    package init(title: String, inputs: [StageInput], unusable: String? = nil, isKept: Bool = true) {
        self.title = title
        self.inputs = inputs
        self.unusable = unusable
        self.isKept = isKept
    }
}

/// What a checkpoint belongs to, for lists and reasons; it is not part of a key.
package struct StageOwner: Sendable, Codable, Hashable {
    /// The absolute path of the template.
    package var template: String
    /// The name of the build.
    package var build: String

    package init(template: String, build: String) {
        self.template = template
        self.build = build
    }
}

/// The digest of the inputs of a stage and of all stages before it, as 64 hexadecimal digits.
package struct StageKey: Sendable, Codable, Hashable, CustomStringConvertible {
    /// 64 hexadecimal digits.
    package let text: String

    /// - Parameter previous: The key of the stage before; nil for the first stage.
    init(after previous: StageKey?, _ inputs: [StageInput]) {
        var hash = SHA256()
        // Every part is preceded by its length, so that different lists of parts give different bytes.
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
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "this is not a stage key")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }
}

/// The keys of a chain of stages; nil from the first stage on that can never be reused.
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
