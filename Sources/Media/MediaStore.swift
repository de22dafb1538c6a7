import Crypto
import Foundation
import Scopes

/// A medium that is here and, where it has a checksum, has the right one.
package struct FetchedMedium: Sendable, Hashable {
    package var path: String
    /// The one of the URLs that it came from.
    package var url: String
    package var checksum: Checksum?
    /// Nothing was downloaded: it is a local file, or it was in the cache.
    package var wasCached: Bool
}

/// What happens while a medium is fetched.
package enum MediaEvent: Sendable, Hashable {
    case downloading(url: String)
    /// Another build has the medium under way.
    case waitingForLock(path: String)
    /// Bytes so far, those of a resumed file included; `total` is nil where the server does not say.
    case received(bytes: Int64, total: Int64?)
    case verifying(path: String)
    case failed(url: String, reason: String)
    case ready(FetchedMedium)
}

/// Installation media: local files used in place, and downloads kept in a cache.
package struct MediaStore: Sendable {
    package var cacheDirectory: String
    package var workingDirectory: String
    /// For the proxy variables.
    package var environment: [String: String]

    package init(cacheDirectory: String, workingDirectory: String, environment: [String: String] = [:]) {
        self.cacheDirectory = cacheDirectory
        self.workingDirectory = workingDirectory
        self.environment = environment
    }

    /// The first of the media that can be had.
    ///
    /// - Parameters:
    ///   - urls: Tried in order: paths relative to the working directory, `file://`, `http://`, `https://`. A query
    ///     `checksum=…` is taken off the URL and counts instead of `checksum`.
    ///   - targetPath: With an extension: the file to download to; without: the folder to do it in; nil: the cache.
    /// - Throws: `BuildError` that names every URL, `CancellationError`.
    package func fetch(
        urls: [String], checksum: Checksum?, targetPath: String? = nil, targetExtension: String = "iso",
        onEvent: @escaping @Sendable (MediaEvent) -> Void
    ) async throws -> FetchedMedium {
        var failures: [String] = []
        for written in urls {
            let shown = withoutSecrets(written)
            do {
                let (url, own) = try await separateChecksum(written)
                let request = MediumRequest(
                    url: url, checksum: own ?? checksum, targetPath: targetPath,
                    targetExtension: targetExtension.isEmpty ? "iso" : targetExtension.lowercased())
                let medium = try await fetch(request, onEvent)
                onEvent(.ready(medium))
                return medium
            } catch {
                if error is CancellationError || Task.isCancelled { throw CancellationError() }
                if urls.count == 1 { throw error }
                onEvent(.failed(url: shown, reason: "\(error)"))
                failures.append("\(error)")
            }
        }
        throw BuildError(
            "get the installation medium",
            because: urls.isEmpty
                ? "no URL is given" : "none of its \(urls.count) URLs works\n" + failures.joined(separator: "\n"),
            hint: urls.isEmpty ? "Set iso_url." : nil)
    }

    private func fetch(
        _ request: MediumRequest, _ onEvent: @escaping @Sendable (MediaEvent) -> Void
    ) async throws -> FetchedMedium {
        if isRemote(request.url) { return try await download(request, onEvent) }
        if let scheme = request.url.range(of: "://"), !request.url.lowercased().hasPrefix("file://") {
            throw BuildError(
                "get \(withoutSecrets(request.url))",
                because: "the scheme “\(request.url[..<scheme.lowerBound])” is not supported",
                hint: "Use a path, file://, http:// or https://.")
        }
        return try await useInPlace(request, onEvent)
    }

    private func useInPlace(
        _ request: MediumRequest, _ onEvent: @Sendable (MediaEvent) -> Void
    ) async throws -> FetchedMedium {
        let path = absolutePath(request.url, in: workingDirectory)
        let operation = "use the medium \(path)"
        _ = try InputFile(path, operation)
        if let checksum = request.checksum {
            onEvent(.verifying(path: path))
            let actual = try await FileDigest.hex(of: path, checksum.algorithm)
            guard actual == checksum.hex else {
                throw mismatch(
                    operation, checksum, actual, "The file is another one than the template means, or damaged.")
            }
        }
        return FetchedMedium(path: path, url: request.url, checksum: request.checksum, wasCached: true)
    }

    private func download(
        _ request: MediumRequest, _ onEvent: @escaping @Sendable (MediaEvent) -> Void
    ) async throws -> FetchedMedium {
        let shown = withoutSecrets(request.url)
        let operation = "download \(shown)"
        let path = target(of: request)
        try makeFolder(parentFolder(path), operation)
        return try await withFileLock(path + ".lock", operation, onWait: { onEvent(.waitingForLock(path: path)) }) {
            if try await isUsable(path, request, onEvent) {
                return FetchedMedium(path: path, url: shown, checksum: request.checksum, wasCached: true)
            }
            let download = Download(request: request, path: path, environment: environment, onEvent: onEvent)
            onEvent(.downloading(url: shown))
            try await attempting(operation) { try await download.run() }
            return FetchedMedium(path: path, url: shown, checksum: request.checksum, wasCached: false)
        }
    }

    /// Whether the cached file is what is asked for; one that is not is deleted.
    private func isUsable(
        _ path: String, _ request: MediumRequest, _ onEvent: @escaping @Sendable (MediaEvent) -> Void
    ) async throws -> Bool {
        guard access(path, F_OK) == 0 else { return false }
        if let checksum = request.checksum {
            onEvent(.verifying(path: path))
            if try await FileDigest.hex(of: path, checksum.algorithm) == checksum.hex { return true }
        } else {
            let size = try InputFile(path, "read the cached medium \(path)").size
            let download = Download(request: request, path: path, environment: environment, onEvent: onEvent)
            // A server that does not report the size does not contradict the file.
            guard let remote = try await download.remoteSize(), remote != size else { return true }
        }
        unlink(path)
        return false
    }

    private func target(of request: MediumRequest) -> String {
        let key = request.checksum?.description ?? request.url
        let name =
            Insecure.SHA1.hash(data: Data(key.utf8))
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "." + request.targetExtension
        guard let given = request.targetPath, !given.isEmpty else {
            return absolutePath(cacheDirectory, in: workingDirectory) + "/" + name
        }
        let path = absolutePath(given, in: workingDirectory)
        return baseName(path).dropFirst().contains(".") ? path : path + "/" + name
    }

    /// The URL without its `checksum=`, and that checksum.
    private func separateChecksum(_ url: String) async throws -> (url: String, checksum: Checksum?) {
        guard let question = url.firstIndex(of: "?"), url.contains("checksum="), var parts = URLComponents(string: url),
            let items = parts.queryItems, let text = items.first(where: { $0.name == "checksum" })?.value
        else { return (url, nil) }
        let rest = items.filter { $0.name != "checksum" }
        parts.queryItems = rest.isEmpty ? nil : rest
        let bare = parts.string ?? String(url[..<question])
        let checksum = try await resolveChecksum(
            ChecksumReference(text), forURL: bare, workingDirectory: workingDirectory, environment: environment)
        return (bare, checksum)
    }
}

/// One URL's share of a fetch.
struct MediumRequest: Sendable {
    var url: String
    var checksum: Checksum?
    var targetPath: String?
    var targetExtension: String
}

func mismatch(_ operation: String, _ expected: Checksum, _ actual: String, _ hint: String) -> BuildError {
    BuildError(
        operation,
        because:
            "its \(expected.algorithm.rawValue) checksum is wrong\n    expected \(expected.hex)\n    actual   \(actual)",
        hint: hint + " Compare with the publisher's list, and correct iso_checksum if a new version was published.")
}
