import ComponentModel
import Foundation
import Scopes
import Templates

/// `format = "proxmox"`: puts a backup archive in the place of the disks and the UEFI variables.
struct ReplaceByProxmoxArchive: Sendable {
    let scope: BuildScope
    let settings: ProxmoxArchiveSettings

    /// - Returns: What the build fails with where the archive cannot be made; the disks stay then.
    func run(_ disks: Disks, _ workspace: Workspace) async throws -> Shortcoming? {
        let variables = workspace.variables
        var hasVariables = FileManager.default.fileExists(atPath: variables)
        if case .efi(_, _, dropsVars: true) = scope.source.machine.firmware { hasVariables = false }
        let images = BuiltImages(
            disks: disks.paths, format: disks.format, variables: hasVariables ? variables : nil)
        do {
            _ = try await scope.step("Making the Proxmox archive") {
                try await MakeProxmoxArchive(settings: settings, context: scope.context, reporter: scope.reporter)
                    .run(images, in: workspace.output)
            }
        } catch let error where !(error is CancellationError) {
            try Task.checkCancellation()
            return Shortcoming("make the Proxmox archive", error, kept: "The disks are kept")
        }
        for file in disks.paths + [variables] { try removeTree(file) }
        return nil
    }
}
