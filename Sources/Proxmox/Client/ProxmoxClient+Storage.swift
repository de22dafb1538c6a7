import Scopes

/// A storage as one node sees it.
package struct ProxmoxStorage: Sendable, Equatable {
    package var name: String
    /// `images`, `iso`, `import`…
    package var content: Set<String>
    package var isActive: Bool
    package var isShared: Bool
    /// Bytes; nil if the server does not know.
    package var available: Int64?
}

extension ProxmoxClient {
    /// The enabled storages of a node, as far as the user may see them.
    package func storages(on node: String) async throws -> [ProxmoxStorage] {
        struct Answer: Decodable, Sendable {
            var storage: String
            var content: String?
            var active: JSONScalar?
            var shared: JSONScalar?
            var avail: JSONScalar?
        }
        let answer: [Answer] = try await call(
            APICall(.GET, ["nodes", node, "storage"], [("enabled", "1")], to: "list the storages of node \(node)"))
        return answer.map { entry in
            ProxmoxStorage(
                name: entry.storage,
                content: Set((entry.content ?? "").split(separator: ",").map { $0.filter { $0 != " " } }),
                isActive: entry.active?.isTrue ?? true, isShared: entry.shared?.isTrue ?? false,
                available: entry.avail?.integer)
        }
    }

    /// The ids of what a storage holds, such as `local:import/disk.qcow2`.
    ///
    /// - Parameter content: `import`, `iso`, `images`…
    package func volumes(on node: String, storage: String, content: String) async throws -> [String] {
        struct Answer: Decodable, Sendable { var volid: String }
        let answer: [Answer] = try await call(
            APICall(
                .GET, ["nodes", node, "storage", storage, "content"], [("content", content)],
                to: "list what the storage \(storage) holds",
                privileges: "`Datastore.Audit` or `Datastore.AllocateSpace` on `/storage/\(storage)`"))
        return answer.map(\.volid)
    }

    /// Starts to remove a file or volume.
    ///
    /// - Returns: the task; nil if it is done.
    package func removeVolume(_ volume: String, on node: String) async throws -> UPID? {
        let storage = String(volume.prefix { $0 != ":" })
        return try await startTaskIfNeeded(
            APICall(
                .DELETE, ["nodes", node, "storage", storage, "content", volume], to: "remove \(volume)",
                privileges: "`Datastore.Allocate` on `/storage/\(storage)`"))
    }
}
