internal import Crypto
package import Foundation
import Scopes

/// The description of a checkpoint, stored in `checkpoint.json`.
package struct Manifest: Sendable, Codable, Equatable {
    /// A file of a checkpoint.
    package struct File: Sendable, Codable, Equatable {
        /// The path relative to the checkpoint's folder.
        package var name: String
        /// In bytes.
        package var size: Int64
        /// The modification time in nanoseconds since 1970.
        package var modification: Int64
        /// The SHA-256 of the content in hexadecimal.
        package var sha256: String
    }

    /// The packed memory of the machine.
    package struct Memory: Sendable, Codable, Equatable {
        /// The size of the raw image in bytes.
        /// In bytes.
        package var size: Int64
        /// The properties of the host that must be equal to load it again, such as qemu=7.2.1.
        package var requirements: [String: String]
    }

    /// A file that the stage wrote on the host, which a build that skips the stage needs as well.
    package struct Output: Sendable, Codable, Equatable {
        /// The absolute path.
        package var path: String
        /// The keyed digest of the content.
        package var digest: String

        package init(path: String, digest: String) {
            self.path = path
            self.digest = digest
        }
    }

    static let currentVersion = 1
    static let fileName = "checkpoint.json"
    static let maximumSize = 8 << 20

    /// The version of the format.
    package internal(set) var version = currentVersion
    /// The id, which is the name of the folder.
    package internal(set) var id: String
    /// The key of the stage.
    package internal(set) var key: StageKey
    /// The id of the parent; nil for a first stage.
    package internal(set) var parent: String?
    /// The title of the stage in messages.
    package internal(set) var title: String
    /// The stage's place in its chain; the install is 0.
    package internal(set) var index: Int
    /// The build that made it.
    package internal(set) var owner: StageOwner
    /// The inputs of the stage.
    package internal(set) var inputs: [StageInput]
    /// The path of the store when it was made: layers refer to their backing files by absolute path.
    package internal(set) var store: String
    /// Counts the runs of one stage on one parent: the highest is the newest, even if the clock was changed.
    package internal(set) var generation: Int
    var createdMilliseconds: Int64
    /// How long the stage took.
    package internal(set) var seconds: Double
    /// All files of the folder except those of the store itself.
    package internal(set) var files: [File]
    /// nil if the memory was not kept.
    package internal(set) var memory: Memory?
    /// Files that the stage wrote on the host.
    package internal(set) var outputs: [Output]
    /// Details of the caller.
    package internal(set) var details: [String: String]
    /// The checksum of all other fields; empty except in the file.
    var checksum = ""

    /// When it was made.
    package var created: Date { Date(timeIntervalSince1970: Double(createdMilliseconds) / 1000) }

    /// The encoded manifest with its checksum.
    func encoded() throws -> Data {
        var manifest = self
        manifest.checksum = try contentChecksum()
        return try Self.encode(manifest)
    }

    private static func encode(_ manifest: Manifest) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(manifest)
    }

    private func contentChecksum() throws -> String {
        var manifest = self
        manifest.checksum = ""
        return hexadecimal(SHA256.hash(data: try Self.encode(manifest)))
    }

    /// Why a manifest cannot be used.
    enum Flaw: Error {
        /// It was written by another version of Ingot, which can read it.
        case foreign
        case damaged(String)
    }

    /// - Throws: `Flaw`.
    init(_ data: Data, id: String) throws(Flaw) {
        struct Version: Decodable { var version: Int }
        let decoder = JSONDecoder()
        // A damaged manifest is not repaired, so the exact error does not matter.
        guard let version = try? decoder.decode(Version.self, from: data).version else {
            throw .damaged("\(Self.fileName) cannot be read")
        }
        guard version == Self.currentVersion else { throw .foreign }
        guard let manifest = try? decoder.decode(Self.self, from: data),
            let checksum = try? manifest.contentChecksum(), checksum == manifest.checksum
        else { throw .damaged("\(Self.fileName) was changed") }
        guard manifest.id == id, manifest.parent.map(isID) ?? true,
            manifest.files.allSatisfy({ isSafe($0.name) && $0.size >= 0 }),
            manifest.memory.map({ $0.size >= 0 }) ?? true
        else { throw .damaged("\(Self.fileName) belongs to something else") }
        self = manifest
        self.checksum = ""
    }

    init(id: String, parent: String?, store: String, generation: Int, now: Date, _ draft: ManifestDraft) {
        self.id = id
        self.parent = parent
        self.store = store
        self.generation = generation
        key = draft.key
        title = draft.title
        index = draft.index
        owner = draft.owner
        inputs = draft.inputs
        createdMilliseconds = Int64(exactly: (now.timeIntervalSince1970 * 1000).rounded()) ?? 0
        let (whole, rest) = draft.took.components
        seconds = Double(whole) + (Double(rest) / 1e15).rounded() / 1000
        files = []
        outputs = draft.outputs
        details = draft.details
    }
}

/// The caller's part of the manifest of a new checkpoint.
package struct ManifestDraft: Sendable {
    /// The key of the stage.
    package var key: StageKey
    /// The title of the stage in messages.
    package var title: String
    /// The stage's place in its chain; the installation is 0.
    package var index: Int
    /// The build that makes it.
    package var owner: StageOwner
    /// The inputs of the stage.
    package var inputs: [StageInput]
    /// How long the stage took.
    package var took: Duration
    /// The properties of the host that loading `memory` requires; nil if the checkpoint has no memory.
    package var memory: [String: String]?
    /// Files on the host written by the stage, and by stages before it without a checkpoint of their own.
    package var outputs: [Manifest.Output]
    package var details: [String: String]

    package init(
        key: StageKey, stage: Stage, index: Int, owner: StageOwner, took: Duration, memory: [String: String]? = nil,
        outputs: [Manifest.Output] = [], details: [String: String] = [:]
    ) {
        self.key = key
        title = stage.title
        self.index = index
        self.owner = owner
        inputs = stage.inputs
        self.took = took
        self.memory = memory
        self.outputs = outputs
        self.details = details
    }
}

/// Whether a relative path stays inside its folder.
private func isSafe(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return !name.utf8.contains(0) && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
}
