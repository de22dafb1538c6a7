import ComponentModel

/// What a block of the language itself takes; the options of components are `Option` records.
struct BlockSpec: Sendable {
    enum Form: Sendable {
        case anything, text, flag, count, duration, texts, object
    }

    struct Attribute: Sendable {
        var name: String
        var form: Form
        var meaning: String

        init(_ name: String, _ form: Form, _ meaning: String) {
            self.name = name
            self.form = form
            self.meaning = meaning
        }
    }

    var meaning: String
    var attributes: [Attribute] = []
    /// Whether other names are welcome, too, because the template chooses them.
    var isOpen = false

    var names: [String] { attributes.map(\.name) }

    static let packer = BlockSpec(
        meaning: "What the template asks of the program that reads it.",
        attributes: [
            .init("required_version", .text, "The versions of Packer it is written for, such as \">= 1.7.0\".")
        ])

    static let requiredPlugins = BlockSpec(
        meaning: "Plugins by the names that the template uses for them. Ingot has its components built in.",
        isOpen: true)

    static let requiredPlugin = BlockSpec(
        meaning: "A plugin.",
        attributes: [
            .init("source", .text, "Where it comes from: HOST/OWNER/NAME."),
            .init("version", .text, "The versions that will do, such as \">= 1.0.0\"."),
        ])

    static let variable = BlockSpec(
        meaning: "Values that are given from outside.",
        attributes: [
            .init("type", .text, "What its values are, such as string, number, bool or list(string)."),
            .init("default", .anything, "Its value when none is given; without, a value must be given."),
            .init("description", .text, "What it is for."),
            .init("sensitive", .flag, "Whether its value is kept out of everything that is printed."),
        ])

    static let validation = BlockSpec(
        meaning: "What its values must fulfil.",
        attributes: [
            .init("condition", .anything, "An expression that is true for a good value."),
            .init("error_message", .text, "The message for other values."),
        ])

    static let variables = BlockSpec(meaning: "Variables with their defaults.", isOpen: true)
    static let locals = BlockSpec(meaning: "Values that are computed in the template.", isOpen: true)

    static let local = BlockSpec(
        meaning: "A value that is computed in the template.",
        attributes: [
            .init("expression", .anything, "The value."),
            .init("sensitive", .flag, "Whether it is kept out of everything that is printed."),
        ])

    static let build = BlockSpec(
        meaning: "What is made of the sources.",
        attributes: [
            .init("name", .text, "Stands before the names of its builds."),
            .init("description", .text, "What it makes."),
            .init("sources", .texts, "The sources it starts from, such as \"source.qemu.debian\"."),
        ])

    /// A chain.
    static let postProcessors = BlockSpec(
        meaning: "Post-processors, each of which works on what the one before it made.")

    static let registry = BlockSpec(meaning: "Has no effect: nothing is published to a registry.", isOpen: true)

    static let dynamic = BlockSpec(
        meaning: "Writes out a block for each element of a collection.",
        attributes: [
            .init("for_each", .anything, "The collection."),
            .init("labels", .texts, "The labels of the blocks."),
            .init("iterator", .text, "The name of the element inside, instead of the type of the blocks."),
        ])

    /// Of every provisioner, beside its own options.
    static let provisioner = BlockSpec(
        meaning: "Changes the machine while it runs.",
        attributes: [
            .init("name", .text, "A name for messages."),
            .init("pause_before", .duration, "How long to wait before it."),
            .init("max_retries", .count, "How often it is tried again after a failure."),
            .init("timeout", .duration, "After how long it has failed."),
            .init("only", .texts, "The builds it takes part in."),
            .init("except", .texts, "The builds it takes no part in."),
            .init("override", .object, "Other options for some sources, by their names."),
            .init("continue_on_error", .flag, "Whether the build goes on after its failure."),
            .init(
                "checkpoint", .flag,
                "Whether a checkpoint may replace it; false: it runs in every build, and so does what comes after it."
            ),
        ])

    /// Of every post-processor, beside its own options.
    static let postProcessor = BlockSpec(
        meaning: "Works on what a build made.",
        attributes: [
            .init("name", .text, "A name for messages and -except."),
            .init("keep_input_artifact", .flag, "Whether what it works on is kept."),
            .init("only", .texts, "The builds it takes part in."),
            .init("except", .texts, "The builds it takes no part in."),
        ])

    static let source = BlockSpec(meaning: "A machine, and what it is installed from.")
    static let data = BlockSpec(meaning: "Values that are looked up before a build.", isOpen: true)

    /// The source of a build, with options of its own.
    static let buildSource = BlockSpec(
        meaning: "A source as this build uses it: options that are added to its own.",
        attributes: [.init("name", .text, "Its name in this build.")], isOpen: true)
}
