import Media
import Scopes
import Templates

/// Makes the CD and the floppy that the guest reads its answers from.
struct MakeSeeds: Sendable {
    let settings: SeedSettings
    let context: RunContext

    func run(_ workspace: Workspace) async throws -> Seeds {
        var seeds = Seeds()
        if !settings.cdFiles.isEmpty || !settings.cdContent.isEmpty {
            let path = workspace.seeds + "/cd.iso"
            try await SeedISO.write(
                files: settings.cdFiles, content: settings.cdContent, label: settings.cdLabel, to: path,
                workingDirectory: context.workingDirectory)
            seeds.cd = path
        }
        if !settings.floppyFiles.isEmpty || !settings.floppyDirectories.isEmpty || !settings.floppyContent.isEmpty {
            let path = workspace.seeds + "/floppy.img"
            try await FloppyImage.write(
                files: settings.floppyFiles, directories: settings.floppyDirectories, content: settings.floppyContent,
                label: settings.floppyLabel, to: path, workingDirectory: context.workingDirectory)
            seeds.floppy = path
        }
        return seeds
    }
}
