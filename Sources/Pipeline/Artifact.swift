/// What a build or a post-processor leaves behind.
package struct Artifact: Sendable {
    /// `VM` for a machine, as Packer names it in the manifest.
    package var id: String
    /// Shown at the end: "VM files in directory: output-debian".
    package var description: String
    package var files: [String]
    /// The folder to delete when a post-processor consumes the artifact; nil where there is none.
    package var directory: String?
    /// What made it, in Packer's word: `transcend.qemu` for its qemu builder. Empty where there is none.
    package var builderID = ""

    package init(id: String, description: String, files: [String], directory: String?, builderID: String = "") {
        self.id = id
        self.description = description
        self.files = files
        self.directory = directory
        self.builderID = builderID
    }
}
