import ComponentModel
import Foundation
import Media
import Scopes
import Templates

/// Gets the ISO or disk image to start from, in place, from the cache or over the network, and checks it.
struct FetchMedium: Sendable {
    let scope: BuildScope

    private var input: BootMedium { scope.source.input }
    private var context: RunContext { scope.context }
    private var reporter: Reporter { scope.reporter }

    func run() async throws -> Medium {
        let url = input.urls.first ?? ""
        let checksum = try await resolveChecksum(
            reference, forURL: url, workingDirectory: context.workingDirectory, environment: context.environment)
        let store = MediaStore(
            cacheDirectory: StateFolders(environment: context.environment).cache,
            workingDirectory: context.workingDirectory, environment: context.environment)
        let medium = try await store.fetch(
            urls: input.urls, checksum: checksum, targetPath: input.targetPath, targetExtension: input.targetExtension
        ) { [reporter] event in
            switch event {
            case .downloading(let url): reporter.news("Downloading \(url)")
            case .waitingForLock(let path): reporter.news("Another build is fetching \(path); waiting for it")
            case .received(let bytes, let total):
                guard let total, total > 0 else { return }
                reporter.report(.progress(fraction: Double(bytes) / Double(total)), "downloading")
            case .verifying(let path): reporter.debug("checking \(path)")
            case .failed(let url, let reason): reporter.warn("\(url): \(reason)")
            case .ready(let medium):
                let name = context.shown(medium.path)
                reporter.news(medium.wasCached ? "Using \(name)" : "Downloaded to \(name)")
            }
        }
        return Medium(path: context.absolute(medium.path))
    }

    private var reference: ChecksumReference {
        switch input.checksum {
        case .none: .none
        case .digest(let type, let hex): .digest(type: type, hex: hex)
        case .file(let place): .file(place)
        }
    }
}
