import ComponentModel
import Media
import Scopes
import Templates

/// Makes the CD and the floppy that the guest reads its answers from.
struct MakeSeeds: Sendable {
    let settings: SeedSettings
    let context: RunContext

    /// - Parameter folder: Made if need be.
    func run(in folder: String) async throws -> Seeds {
        try makeFolder(folder)
        var seeds = Seeds()
        if !settings.cdFiles.isEmpty || !settings.cdContent.isEmpty {
            let path = folder + Seeds.cdName
            try await SeedISO.write(
                files: settings.cdFiles, content: settings.cdContent, label: settings.cdLabel, to: path,
                workingDirectory: context.workingDirectory)
            seeds.cd = path
        }
        if !settings.floppyFiles.isEmpty || !settings.floppyDirectories.isEmpty || !settings.floppyContent.isEmpty {
            let path = folder + Seeds.floppyName
            try await FloppyImage.write(
                files: settings.floppyFiles, directories: settings.floppyDirectories, content: settings.floppyContent,
                label: settings.floppyLabel, to: path, workingDirectory: context.workingDirectory)
            seeds.floppy = path
        }
        return seeds
    }
}
