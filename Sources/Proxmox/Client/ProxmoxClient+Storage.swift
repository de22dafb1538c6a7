import Scopes

/// A storage as one node sees it.
package struct ProxmoxStorage: Sendable, Equatable {
    package var name: String
    /// `dir`, `lvmthin`, `zfspool`, `nfs`…
    package var type: String
    /// `images`, `iso`, `import`…
    package var content: Set<String>
    package var isActive: Bool
    package var isShared: Bool
    /// Bytes; nil if the server does not know.
    package var available: Int64?
}

/// A file or volume on a storage.
package struct ProxmoxVolume: Sendable, Equatable {
    /// `storage:import/disk.qcow2`
    package var id: String
    package var content: String
    package var format: String
    package var size: Int64
    package var owner: Int?
}

extension ProxmoxClient {
    /// The enabled storages of a node, as far as the user may see them.
    package func storages(on node: String) async throws -> [ProxmoxStorage] {
        struct Answer: Decodable, Sendable {
            var storage: String
            var type: String?
            var content: String?
            var active: JSONScalar?
            var shared: JSONScalar?
            var avail: JSONScalar?
        }
        let answer: [Answer] = try await call(
            APICall(.GET, ["nodes", node, "storage"], [("enabled", "1")], to: "list the storages of node \(node)"))
        return answer.map { entry in
            ProxmoxStorage(
                name: entry.storage, type: entry.type ?? "",
                content: Set((entry.content ?? "").split(separator: ",").map { $0.filter { $0 != " " } }),
                isActive: entry.active?.isTrue ?? true, isShared: entry.shared?.isTrue ?? false,
                available: entry.avail?.integer)
        }
    }

    /// What a storage holds.
    ///
    /// - Parameter content: `import`, `iso`, `images`…; nil for everything.
    package func volumes(on node: String, storage: String, content: String? = nil) async throws -> [ProxmoxVolume] {
        struct Answer: Decodable, Sendable {
            var volid: String
            var content: String?
            var format: String?
            var size: JSONScalar?
            var vmid: JSONScalar?
        }
        let answer: [Answer] = try await call(
            APICall(
                .GET, ["nodes", node, "storage", storage, "content"], content.map { [("content", $0)] } ?? [],
                to: "list what the storage \(storage) holds",
                privileges: "`Datastore.Audit` or `Datastore.AllocateSpace` on `/storage/\(storage)`"))
        return answer.map {
            ProxmoxVolume(
                id: $0.volid, content: $0.content ?? "", format: $0.format ?? "", size: $0.size?.integer ?? 0,
                owner: $0.vmid?.integer.flatMap { Int(exactly: $0) })
        }
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

    /// Lets the server itself fetch a file.
    ///
    /// - Parameter content: `iso`, `import` or `vztmpl`.
    package func startDownload(
        of url: String, to storage: String, on node: String, content: String, fileName: String,
        sha256: String? = nil
    ) async throws -> UPID {
        var fields = [("url", url), ("content", content), ("filename", fileName)].map { (key: $0.0, value: $0.1) }
        if let sha256 { fields += [("checksum-algorithm", "sha256"), ("checksum", sha256)] }
        return try await startTask(
            APICall(
                .POST, ["nodes", node, "storage", storage, "download-url"], fields,
                to: "let node \(node) download \(fileName)",
                privileges: "`Datastore.AllocateTemplate` on `/storage/\(storage)` and `Sys.AccessNetwork` on "
                    + "`/nodes/\(node)`"))
    }
}
