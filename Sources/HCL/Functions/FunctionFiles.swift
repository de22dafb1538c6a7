/// The files that functions such as `file` read. Paths are absolute.
public protocol FunctionFiles: Sendable {
    /// The file's bytes. The error says why it cannot be read, or that it is too large.
    func read(_ path: String) throws -> [UInt8]
    /// What is at a path; nil if there is nothing.
    func kind(of path: String) -> FunctionFileKind?
    func names(in directory: String) throws -> [String]
}

/// What is at a path.
public enum FunctionFileKind: Hashable, Sendable { case file, directory }
