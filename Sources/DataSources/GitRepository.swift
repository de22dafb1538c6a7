import HCL
import Processes
import Scopes
import Templates

/// `git-commit`, `git-repository` and `git-tree`: what the git program reports about a repository. A folder inside it names it, too.
extension LocalDataSources {
    func gitCommit(_ path: String, _ revision: String) async throws -> DataSourceAnswer {
        let hash = try await resolve(revision, path)
        let commit = GitCommit(text(try await git(path, ["cat-file", "commit", hash], "read the commit \(hash)")))
        let branches = try await git(
            path, ["for-each-ref", "--points-at", hash, "--format=%(refname)", "refs/heads"], "list the branches")
        return DataSourceAnswer([
            "hash": .string(hash), "branches": names(branches, without: "refs/heads/"),
            "author": .string(commit.author.person), "committer": .string(commit.committer.person),
            "timestamp": .string(commit.committer.time), "pgp_signature": .string(commit.signature),
            "message": .string(commit.message), "tree_hash": .string(commit.tree),
            "parent_hashes": .list(commit.parents.map(Value.string)),
        ])
    }

    func gitRepository(_ path: String) async throws -> DataSourceAnswer {
        _ = try await resolve("HEAD", path)
        let operation = "look at the repository of \(path)"
        // Nothing if no branch is checked out.
        let head = try await git(path, ["rev-parse", "--symbolic-full-name", "HEAD"], operation)
        let branches = try await git(path, ["for-each-ref", "--format=%(refname)", "refs/heads"], operation)
        let tags = try await git(path, ["for-each-ref", "--format=%(refname)", "refs/tags"], operation)
        let changes = try await git(path, ["status", "--porcelain"], operation)
        var name = text(head).trimmed
        if name.hasPrefix("refs/heads/") { name.removeFirst("refs/heads/".count) }
        return DataSourceAnswer([
            "head": .string(name), "branches": names(branches, without: "refs/heads/"),
            "tags": names(tags, without: "refs/tags/"), "is_clean": .bool(changes.isEmpty),
        ])
    }

    func gitTree(_ path: String, _ revision: String) async throws -> DataSourceAnswer {
        let hash = try await resolve(revision, path)
        let listing = try await git(
            path, ["ls-tree", "-r", "-z", "--full-tree", hash], "list the files of \(revision)")
        // "MODE TYPE HASH<tab>NAME"; what is not a blob is the commit of a submodule.
        let files = listing.split(separator: 0).compactMap { entry -> Value? in
            guard let tab = entry.firstIndex(of: UInt8(ascii: "\t")) else { return nil }
            guard text(entry[..<tab]).split(separator: " ").dropFirst().first == "blob" else { return nil }
            return .string(text(entry[(tab + 1)...]))
        }
        return DataSourceAnswer(["hash": .string(hash), "files": .list(files)])
    }

    /// The hash of a commit.
    private func resolve(_ revision: String, _ path: String) async throws -> String {
        let operation = "find the commit \(revision) of the repository of \(path)"
        guard !revision.hasPrefix("-") else {
            throw BuildError(operation, because: "no name of a commit begins with a dash")
        }
        let found = try await git(
            path, ["rev-parse", "--verify", "--quiet", revision + "^{commit}"], operation,
            silence: revision == "HEAD" ? "the repository has no commit yet" : "there is no such commit",
            hint: revision == "HEAD" ? "Commit something first." : "commit_ish takes a hash, a branch, a tag or HEAD~1."
        )
        return text(found).trimmed
    }

    /// What git writes.
    private func git(
        _ path: String, _ arguments: [String], _ operation: String, silence: String = "git failed", hint: String? = nil
    ) async throws -> [UInt8] {
        let folder = absolute(path)
        var variables = environment
        // Its own words are looked at; and nothing is to be asked, or written into the repository.
        variables["LC_ALL"] = "C"
        variables["GIT_TERMINAL_PROMPT"] = "0"
        variables["GIT_OPTIONAL_LOCKS"] = "0"
        let ended: CapturedOutput
        do {
            ended = try await captureProcess(
                "git", ["-C", folder] + arguments, environment: variables, limit: limits.size, deadline: limits.git)
        } catch let error as BuildError where error.underlying is ProgramNotFound {
            throw BuildError(
                operation, because: "the program git is not installed", hint: "Install it, such as by: apt install git")
        } catch let error as BuildError {
            throw BuildError(operation: operation, hint: error.hint, underlying: error.underlying)
        }
        if ended.exit.isSuccess { return ended.output }
        let complaint = ended.complaint ?? ""
        if complaint.contains("not a git repository") {
            throw BuildError(
                operation, because: "neither \(folder) nor a folder above it is a git repository",
                hint: "path names a folder of one; by default it is the working directory.")
        }
        if complaint.contains("cannot change to") {
            throw BuildError(
                operation, because: "there is no folder \(folder)",
                hint: "A relative path starts in the working directory, \(workingDirectory).")
        }
        if complaint.isEmpty { throw BuildError(operation, because: silence, hint: hint) }
        throw BuildError(operation, because: "git ended with \(ended.exit) and said:\n\(complaint)")
    }

    private func names(_ lines: [UInt8], without prefix: String) -> Value {
        .list(text(lines).split(separator: "\n").map { .string(String($0.trimmingPrefix(prefix))) })
    }

    private func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
}

extension String {
    fileprivate var trimmed: String {
        String(trimmingPrefix(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
