/// Finds what the word at the cursor could become.
package struct CompleteWord {
    /// The names in a folder, folders with a slash at the end; none if it cannot be read.
    package typealias ListFolder = (_ path: String) -> [String]

    /// The template on the line and the flags that apply to it.
    package struct TemplateWords {
        /// nil if the line has none yet.
        package var path: String?
        /// The values of `-var`.
        package var variables: [String] = []
        /// The values of `-var-file`.
        package var files: [String] = []
        /// The patterns of `-only`.
        package var only: [String] = []
        /// The patterns of `-except`.
        package var except: [String] = []
    }

    /// The sources of candidates that depend on a template or on the host.
    package struct Sources {
        /// The names of a template's builds.
        var builds: (TemplateWords) -> [String]
        /// The variables that a template declares.
        var variables: (TemplateWords) -> [CompletionAnswer.Candidate]
        /// The stages of a template's builds.
        var stages: (TemplateWords) -> [CompletionAnswer.Candidate]
        /// The checkpoints on this host.
        var checkpoints: () -> [CompletionAnswer.Candidate]

        package init(
            builds: @escaping (TemplateWords) -> [String],
            variables: @escaping (TemplateWords) -> [CompletionAnswer.Candidate],
            stages: @escaping (TemplateWords) -> [CompletionAnswer.Candidate],
            checkpoints: @escaping () -> [CompletionAnswer.Candidate]
        ) {
            self.builds = builds
            self.variables = variables
            self.stages = stages
            self.checkpoints = checkpoints
        }
    }

    private let tree: CommandTree
    private let listFolder: ListFolder
    private let sources: Sources

    package init(_ tree: CommandTree, listFolder: @escaping ListFolder, _ sources: Sources) {
        self.tree = tree
        self.listFolder = listFolder
        self.sources = sources
    }

    /// The candidates for the word at the cursor.
    package func answer(to request: CompletionRequest) -> CompletionAnswer {
        var line = ParsedLine(tree.command)
        for word in request.preceding { line.read(word) }
        let word = request.word
        var whole = line
        whole.pending = nil
        for word in request.following { whole.read(word) }

        if let option = line.pending { return values(of: option, from: word, flag: "", whole) }
        if word.hasPrefix("-"), !line.flagsHaveEnded {
            guard let equals = word.firstIndex(of: "=") else { return flags(of: line, word) }
            let name = String(word[..<equals].drop { $0 == "-" })
            guard let option = line.command.argument(name) else { return CompletionAnswer() }
            let start = word.index(after: equals)
            return values(of: option, from: String(word[start...]), flag: String(word[..<start]), whole)
        }
        let named = line.command.commandName == "help" ? tree.command : line.command
        if let subcommands = named.subcommands, !subcommands.isEmpty {
            let shown = subcommands.filter { $0.shouldDisplay && $0.commandName.hasPrefix(word) }
            return CompletionAnswer(candidates: shown.map { .init($0.commandName, $0.abstract ?? "") })
        }
        let positionals = line.command.arguments?.filter { $0.kind == .positional } ?? []
        let last = positionals.last.flatMap { $0.isRepeating ? $0 : nil }
        guard
            let argument = positionals.indices.contains(line.positionals.count)
                ? positionals[line.positionals.count] : last
        else { return CompletionAnswer() }
        return values(of: argument, from: word, flag: "", whole)
    }

    /// Flags with one dash, as Packer's users write them, or with two if the word begins with two.
    private func flags(of line: ParsedLine, _ word: String) -> CompletionAnswer {
        let dashes = word.hasPrefix("--") ? "--" : "-"
        let candidates = (line.command.arguments ?? []).compactMap { argument -> CompletionAnswer.Candidate? in
            guard argument.kind != .positional, argument.shouldDisplay, let name = argument.longName,
                argument.isRepeating || !line.given.contains(name)
            else { return nil }
            return .init(dashes + name + (argument.kind == .option ? "=" : ""), argument.abstract ?? "")
        }
        return CompletionAnswer(candidates: candidates.filter { $0.text.hasPrefix(word) })
    }

    private func values(
        of argument: CommandTree.Argument, from word: String, flag: String, _ line: ParsedLine
    ) -> CompletionAnswer {
        switch argument.values {
        case nil: return CompletionAnswer()
        case .words(let words):
            return CompletionAnswer(candidates: words.filter { $0.hasPrefix(word) }.map { .init(flag + $0) })
        case .files(let extensions): return files(from: word, flag: flag, extensions: extensions)
        case .folders: return files(from: word, flag: flag, extensions: [])
        case .variables:
            return begun(sources.variables(line.template), with: word, flag: flag, ending: "=")
        case .stages: return begun(sources.stages(line.template), with: word, flag: flag)
        case .checkpoints:
            let given = Set(line.positionals.filter { $0 != word })
            return begun(sources.checkpoints().filter { !given.contains($0.text) }, with: word, flag: flag)
        case .builds:
            let names = sources.builds(line.template)
            let chosen = word.lastIndex(of: ",").map { word[...$0] } ?? ""
            let given = Set(chosen.split(separator: ",").map(String.init))
            let start = word.dropFirst(chosen.count)
            return CompletionAnswer(
                candidates: names.filter { $0.hasPrefix(start) && !given.contains($0) }.map {
                    .init(flag + chosen + $0)
                })
        }
    }

    private func begun(
        _ candidates: [CompletionAnswer.Candidate], with word: String, flag: String, ending: String = ""
    ) -> CompletionAnswer {
        let fitting = candidates.filter { $0.text.hasPrefix(word) }
        return CompletionAnswer(candidates: fitting.map { .init(flag + $0.text + ending, $0.meaning) })
    }

    private func files(from word: String, flag: String, extensions: [String]) -> CompletionAnswer {
        let folder = word.lastIndex(of: "/").map { String(word[...$0]) } ?? ""
        let start = word.dropFirst(folder.count)
        let names = listFolder(folder.isEmpty ? "." : folder).filter { name in
            name.hasPrefix(start) && (!name.hasPrefix(".") || start.hasPrefix("."))
        }.sorted()
        let fitting = names.filter { name in name.hasSuffix("/") || extensions.contains { name.hasSuffix("." + $0) } }
        return CompletionAnswer(areFiles: true, candidates: fitting.map { .init(flag + folder + $0) })
    }
}

/// The words of a line by their role.
private struct ParsedLine {
    var command: CommandTree.Command
    /// An option whose value comes next.
    var pending: CommandTree.Argument?
    var positionals: [String] = []
    var flagsHaveEnded = false
    /// Flags and options by their long names.
    var given: Set<String> = []
    var values: [String: [String]] = [:]

    init(_ command: CommandTree.Command) { self.command = command }

    var template: CompleteWord.TemplateWords {
        func pieces(_ name: String) -> [String] {
            (values[name] ?? []).flatMap { $0.split(separator: ",").map(String.init) }
        }
        return .init(
            path: positionals.first, variables: values["var"] ?? [], files: values["var-file"] ?? [],
            only: pieces("only"), except: pieces("except"))
    }

    mutating func read(_ word: String) {
        if let option = pending {
            pending = nil
            values[option.longName ?? "", default: []].append(word)
        } else if word == "--" {
            flagsHaveEnded = true
        } else if word.hasPrefix("-"), word.count > 1, !flagsHaveEnded {
            let body = word.drop { $0 == "-" }
            let name = String(body.prefix { $0 != "=" })
            guard let argument = command.argument(name), let long = argument.longName else { return }
            given.insert(long)
            if argument.kind == .option {
                if body.contains("=") {
                    values[long, default: []].append(String(body.dropFirst(name.count + 1)))
                } else {
                    pending = argument
                }
            }
        } else if let next = command.subcommand(word), positionals.isEmpty {
            command = next
        } else {
            positionals.append(word)
        }
    }
}
