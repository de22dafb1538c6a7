import Diagnostics
import HCL

/// A legacy JSON template taken apart. Nothing is rendered yet.
struct LegacyTemplate: Sendable {
    struct Variable: Sendable {
        var name: String
        var nameRange: SourceRange
        /// nil: the user must give a value.
        var value: JSONNode?
    }

    /// A builder, provisioner or post-processor.
    struct Component: Sendable {
        /// `source`, `provisioner`, `post-processor`.
        var family: KnownComponents.Family
        var type: String
        var typeRange: SourceRange
        /// As written, before it is rendered; of a builder and a post-processor the type, if there is none.
        var name: String
        var nameRange: SourceRange
        /// `only`, `pause_before` and so on, by name; `override` is apart.
        var meta: [JSONNode.Member]
        /// Options by the name of a builder.
        var overrides: [Override]
        var options: [JSONNode.Member]

        /// For messages.
        var title: String { "\(family.word) \"\(type)\"" }
    }

    struct Override: Sendable {
        var builder: String
        var builderRange: SourceRange
        var options: [JSONNode.Member]
    }

    var variables: [Variable] = []
    /// Names of variables.
    var sensitive: [JSONNode] = []
    var builders: [Component] = []
    var provisioners: [Component] = []
    var errorCleanup: Component?
    var postProcessors: [[Component]] = []
    /// `min_packer_version`.
    var minimumVersion: JSONNode?
    /// Where to point at when a part is missing.
    var range: SourceRange

    /// Where the values of sensitive variables are written.
    var sensitiveRanges: [SourceRange] {
        let names = Set(sensitive.compactMap(\.text))
        return variables.filter { names.contains($0.name) }.compactMap(\.value?.range)
    }
}
