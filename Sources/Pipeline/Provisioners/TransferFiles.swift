import ComponentModel
import Foundation
import Guests
import Scopes
import Templates

/// `file`: uploads to or downloads from the guest.
struct TransferFiles: Sendable {
    let settings: FileSettings
    let data: RunData
    let context: RunContext
    let reporter: Reporter

    func run(_ guest: any Guest) async throws {
        try await guest.ensureConnected(timeout: .seconds(60))
        let destination = try context.render(settings.destination, data: data.templateData)
        if let content = settings.content {
            let target = destination.hasSuffix("/") ? destination + "content" : destination
            reporter.news("Uploading text => \(target)")
            try await guest.upload(Data(content.utf8), to: target, mode: 0o644)
            return
        }
        for source in settings.sources {
            let source = try context.render(source, data: data.templateData)
            switch settings.direction {
            case .upload: try await upload(source, to: destination, guest)
            case .download:
                if try await download(source, to: destination, guest) { return }
            }
        }
    }

    private func upload(_ source: String, to destination: String, _ guest: any Guest) async throws {
        let path = context.absolute(source)
        reporter.news("Uploading \(source) => \(destination)")
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw BuildError(
                "upload \(source)", because: "there is no such file", hint: "Paths start at the working directory.")
        }
        try await attempting("upload \(source) to \(destination)", hint: "The folder must exist in the guest.") {
            if isDirectory.boolValue {
                try await guest.uploadTree(path, to: destination)
            } else {
                try await guest.upload(file: path, to: target(destination, for: source))
            }
        }
    }

    /// - Returns: Whether it was a folder, after which Packer looks at no further sources.
    private func download(
        _ source: String, to destination: String, _ guest: any Guest
    ) async throws -> Bool {
        reporter.news("Downloading \(source) => \(destination)")
        let isDirectory = source.hasSuffix("/") || source.contains { "*?[".contains($0) }
        let target = target(destination, for: source)
        let local = context.absolute(isDirectory ? destination : target)
        try makeParent(of: local)
        try await attempting("download \(source) to \(destination)") {
            if isDirectory {
                try await guest.downloadTree(source, to: local)
            } else {
                try await guest.download(source, to: local)
            }
        }
        return isDirectory
    }

    private func target(_ destination: String, for source: String) -> String {
        destination.hasSuffix("/") ? destination + URL(filePath: source).lastPathComponent : destination
    }
}
