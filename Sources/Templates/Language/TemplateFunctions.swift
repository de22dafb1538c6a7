import ComponentModel
import HCL

/// The functions of a template, with relative paths of files starting at `directory`.
func templateFunctions(_ options: LoadOptions, directory: String) -> [String: Function] {
    standardFunctions(
        files: TemplateFunctionFiles(files: options.fileSystem), templateDirectory: directory,
        workingDirectory: options.workingDirectory, startTime: options.startTime, secrets: options.secretStores)
}

/// The template's file system, as functions see it.
private struct TemplateFunctionFiles: FunctionFiles {
    struct TooLarge: Error, CustomStringConvertible {
        var description: String { "the file is larger than 16 MiB" }
    }

    let files: any TemplateFileSystem

    func read(_ path: String) throws -> [UInt8] {
        guard let bytes = try files.read(path, limit: TemplateFiles.largestFile) else { throw TooLarge() }
        return bytes
    }

    func kind(of path: String) -> FunctionFileKind? {
        switch files.kind(of: path) {
        case .file: .file
        case .directory: .directory
        case nil: nil
        }
    }

    func names(in directory: String) throws -> [String] { try files.names(in: directory) }
}
