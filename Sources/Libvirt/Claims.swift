/// Paths that are to go with this process, should it die before it removes them itself.
package final class Claims: Sendable {
    private let root: EmbeddedRoot

    package init() throws {
        root = try EmbeddedRoot()
    }

    package func add(_ path: String) throws { try root.claim(path) }
    package func remove(_ path: String) throws { try root.release(path) }

    package func close() {
        // A folder that stays is found without an owner and removed by the next run.
        try? root.remove()
    }
}
