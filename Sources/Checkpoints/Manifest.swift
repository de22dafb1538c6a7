internal import Crypto
package import Foundation
import Scopes

/// What a checkpoint is: `checkpoint.json`.
package struct Manifest: Sendable, Codable, Equatable {
    package struct File: Sendable, Codable, Equatable {
        /// Relative to the checkpoint's folder.
        package var name: String
        package var size: Int64
        /// Nanoseconds since 1970.
        package var modification: Int64
        package var sha256: String
    }

    package struct Memory: Sendable, Codable, Equatable {
        /// Of the raw image, in bytes.
        package var size: Int64
        /// What has to be the same for it to be loaded again, such as qemu=7.2.1.
        package var requirements: [String: String]
    }

    /// A file that the stage wrote on the host, which a build that skips the stage needs as well.
    package struct Output: Sendable, Codable, Equatable {
        package var path: String
        package var digest: String

        package init(path: String, digest: String) {
            self.path = path
            self.digest = digest
        }
    }

    static let currentVersion = 1
    static let fileName = "checkpoint.json"
    static let maximumSize = 8 << 20

    package internal(set) var version = currentVersion
    package internal(set) var id: String
    package internal(set) var key: StageKey
    package internal(set) var parent: String?
    package internal(set) var title: String
    /// The stage's place in its chain; the install is 0.
    package internal(set) var index: Int
    package internal(set) var owner: StageOwner
    package internal(set) var inputs: [StageInput]
    /// Where the store was: the layers name their backing files by absolute path.
    package internal(set) var store: String
    /// Counts the runs of one stage on one parent: the highest is the newest, whatever the clock did.
    package internal(set) var generation: Int
    var createdMilliseconds: Int64
    /// How long the stage took.
    package internal(set) var seconds: Double
    package internal(set) var files: [File]
    package internal(set) var memory: Memory?
    package internal(set) var outputs: [Output]
    /// The caller's own.
    package internal(set) var details: [String: String]
    /// Of all the rest; empty but in the file.
    var checksum = ""

    package var created: Date { Date(timeIntervalSince1970: Double(createdMilliseconds) / 1000) }

    /// With its checksum.
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

    /// Why a manifest can't be used.
    enum Flaw: Error {
        /// Of another Ingot, which may well understand it.
        case foreign
        case damaged(String)
    }

    /// - Throws: `Flaw`.
    init(_ data: Data, id: String) throws(Flaw) {
        struct Version: Decodable { var version: Int }
        let decoder = JSONDecoder()
        // What is wrong with it is of no use to anybody: it is not repaired.
        guard let version = try? decoder.decode(Version.self, from: data).version else {
            throw .damaged("\(Self.fileName) is not readable")
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

/// What the caller knows of a checkpoint that it makes.
package struct ManifestDraft: Sendable {
    package var key: StageKey
    package var title: String
    package var index: Int
    package var owner: StageOwner
    package var inputs: [StageInput]
    package var took: Duration
    /// What loading the file `memory` again requires; nil: the checkpoint has no memory.
    package var memory: [String: String]?
    /// What the stage wrote on the host, and the stages before it that have no checkpoint of their own.
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

/// Whether a file's name stays in its folder.
private func isSafe(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return !name.utf8.contains(0) && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
}
