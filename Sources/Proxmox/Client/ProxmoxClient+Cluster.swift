import Scopes

/// The version of a server; features are reported by major and minor.
package struct ProxmoxVersion: Sendable, Comparable, CustomStringConvertible {
    package var major: Int
    package var minor: Int
    /// As the server says it, `8.4.1`.
    package var description: String

    package init?(_ text: String) {
        let parts = text.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard let major = parts.first else { return nil }
        self.init(major: major, minor: parts.dropFirst().first ?? 0, description: text)
    }

    init(major: Int, minor: Int, description: String? = nil) {
        self.major = major
        self.minor = minor
        self.description = description ?? "\(major).\(minor)"
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
    package static func == (left: Self, right: Self) -> Bool {
        (left.major, left.minor) == (right.major, right.minor)
    }

    /// Bridges need the privilege SDN.Use.
    static let guardsBridges = ProxmoxVersion(major: 8, minor: 0)
    /// Disk images can be uploaded to storages with the content type Import.
    package static let takesDiskUploads = ProxmoxVersion(major: 8, minor: 4)
}

/// A server of the cluster.
package struct ProxmoxNode: Sendable, Equatable {
    package var name: String
    package var isOnline: Bool
}

/// A machine or template, as the cluster lists it.
package struct ProxmoxMachine: Sendable, Equatable {
    package var vmid: Int
    package var name: String
    package var node: String
    /// Of a machine; templates of containers do not count.
    package var isTemplate: Bool
}

extension ProxmoxClient {
    /// The server's version.
    package func version() async throws -> ProxmoxVersion {
        struct Answer: Decodable, Sendable { var version: JSONScalar }
        let operation = "ask for the version of Proxmox VE"
        let answer: Answer = try await call(APICall(.GET, ["version"], to: operation))
        guard let version = ProxmoxVersion(answer.version.text) else {
            throw BuildError(
                operation, because: "the answer “\(Self.oneLine(answer.version.text))” is not a version",
                hint: "Check that the address is that of Proxmox VE.")
        }
        return version
    }

    /// The nodes of the cluster.
    package func nodes() async throws -> [ProxmoxNode] {
        struct Answer: Decodable, Sendable {
            var node: String
            var status: String?
        }
        let answer: [Answer] = try await call(APICall(.GET, ["nodes"], to: "list the nodes of the cluster"))
        return answer.map { ProxmoxNode(name: $0.node, isOnline: $0.status != "offline") }
    }

    /// Every machine that the user may see, on all nodes.
    package func machines() async throws -> [ProxmoxMachine] {
        struct Answer: Decodable, Sendable {
            var vmid: JSONScalar?
            var name: JSONScalar?
            var node: String?
            var template: JSONScalar?
            var type: String?
        }
        let answer: [Answer] = try await call(
            APICall(.GET, ["cluster", "resources"], [("type", "vm")], to: "list the machines of the cluster"))
        return answer.compactMap { entry in
            guard let number = entry.vmid?.integer.flatMap({ Int(exactly: $0) }), let node = entry.node else {
                return nil
            }
            return ProxmoxMachine(
                vmid: number, name: entry.name?.text ?? "", node: node,
                isTemplate: entry.template?.isTrue == true && entry.type != "lxc")
        }
    }

    /// A number that no machine has at this moment; somebody else may take it before you do.
    package func nextMachineID() async throws -> Int {
        let operation = "ask for the next free machine number"
        let answer: JSONScalar = try await call(APICall(.GET, ["cluster", "nextid"], to: operation))
        guard let id = answer.integer.flatMap({ Int(exactly: $0) }), (100...999_999_999).contains(id) else {
            throw BuildError(operation, because: "the answer is not a machine number", hint: "Give `vm_id` yourself.")
        }
        return id
    }

    /// The privileges that the user, or the token, has on a path such as `/storage/local`.
    package func privileges(on path: String) async throws -> Set<String> {
        let answer: [String: [String: JSONScalar]] = try await call(
            APICall(.GET, ["access", "permissions"], [("path", path)], to: "ask for the privileges on \(path)"))
        // The value says whether it is inherited; the key alone counts.
        return Set((answer[path] ?? [:]).keys)
    }
}
