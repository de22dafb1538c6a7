import ComponentModel
import HCL

/// What a data source does once its options are read.
enum DataSourceStep: Sendable {
    /// It needs nothing from outside.
    case answer(DataSourceAnswer)
    case request(DataSourceRequest)
}

/// The data sources that are built in: what they give, and how their options become a request.
enum DataSourceDecoder {
    /// The names of the outputs of a type that is built in.
    static func outputs(of type: String) -> [String] {
        switch type {
        case "http": ["url", "body", "request_headers"]
        case "null": ["output"]
        case "host-info": ["os_type", "version", "architecture", "platform", "family"]
        case "external", "external-raw": ["result"]
        case "git-commit":
            [
                "hash", "branches", "author", "committer", "timestamp", "pgp_signature", "message", "tree_hash",
                "parent_hashes",
            ]
        case "git-repository": ["head", "branches", "tags", "is_clean"]
        case "git-tree": ["hash", "files"]
        case "sshkey": ["private_key_path", "public_key"]
        case "file": ["path"]
        default: []
        }
    }

    /// The outputs that hold what went into the options, or what was made of it: they are as secret as that.
    static func derivedOutputs(of type: String) -> [String] {
        switch type {
        case "http": ["url"]
        case "null": ["output"]
        case "external", "external-raw": ["result"]
        case "file": ["path"]
        default: []
        }
    }

    static func decode(_ type: String, _ reader: inout OptionReader) -> DataSourceStep? {
        switch type {
        case "http": return http(&reader)
        case "null": return .answer(DataSourceAnswer(["output": .string(reader.string("input") ?? "")]))
        case "host-info": return .request(.hostInfo)
        case "external", "external-raw":
            let program = reader.strings("program")
            let directory = reader.text("working_dir") ?? "."
            return .request(
                type == "external"
                    ? .external(program: program, workingDirectory: directory, query: reader.map("query"))
                    : .externalRaw(
                        program: program, workingDirectory: directory, query: reader.string("query") ?? ""))
        case "git-commit": return .request(.gitCommit(path: path(reader), revision: revision(reader)))
        case "git-repository": return .request(.gitRepository(path: path(reader)))
        case "git-tree": return .request(.gitTree(path: path(reader), revision: revision(reader)))
        case "sshkey":
            let type = reader.choice("type") ?? "rsa"
            return .request(.sshKey(name: reader.text("name") ?? "packer", type: type))
        case "file":
            let destination = reader.text("destination") ?? ""
            return .request(
                .file(
                    destination: destination, contents: reader.string("contents") ?? "", force: reader.bool("force")))
        default: return nil
        }
    }

    private static func http(_ reader: inout OptionReader) -> DataSourceStep {
        let url = reader.text("url") ?? ""
        if !reader.isUndecided("url") {
            let scheme = url.split(separator: ":").first?.lowercased()
            if !url.isEmpty, scheme != "http", scheme != "https" {
                reader.error(
                    "invalid-value", "“\(url)” is not a URL to read", "It must begin with http:// or https://.",
                    at: "url")
            }
        }
        let method = reader.choice("method") ?? "GET"
        return .request(
            .http(
                url: url, method: method, headers: reader.map("request_headers"),
                body: reader.string("request_body") ?? ""))
    }

    private static func path(_ reader: OptionReader) -> String { reader.text("path") ?? "." }

    private static func revision(_ reader: OptionReader) -> String { reader.text("commit_ish") ?? "HEAD" }
}

extension DataSourceDecoder {
    static let options: [String: [Option]] = [
        "http": [
            .text("url", "What to read, such as \"https://…\".", required: true),
            .choice(
                "method", "The method of the request.",
                of: ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"], default: "GET"),
            .map("request_headers", "The headers of the request."),
            .text("request_body", "The body of the request."),
        ],
        "null": [.text("input", "What the output is.")],
        "host-info": [],
        "external": program + [.map("query", "What the program reads, as a JSON object.")],
        "external-raw": program + [.text("query", "What the program reads.")],
        "git-commit": [repository, revision],
        "git-repository": [repository],
        "git-tree": [repository, revision],
        "sshkey": [
            .text("name", "The name under which the key is kept in the cache.", default: "packer"),
            .choice("type", "The kind of the key.", of: ["rsa", "ed25519"], default: "rsa"),
        ],
        "file": [
            .text("destination", "The file to write.", required: true),
            .text("contents", "What to write into it."),
            .bool("force", "Whether a file that exists is replaced."),
        ],
    ]

    private static let program: [Option] = [
        .list("program", "The program to run, with its arguments, such as [\"jq\", \".\"].", required: true),
        .text("working_dir", "The folder that the program runs in.", default: "."),
    ]
    private static let repository = Option.text("path", "The repository, or a folder in it.", default: ".")
    private static let revision = Option.text(
        "commit_ish", "The commit: a hash, branch, tag or other name.", default: "HEAD")
}
