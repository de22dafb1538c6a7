import Scopes

/// Renders `text` as a Go template, again and again until it no longer changes: markers inside inserted values are expanded too.
///
/// For what is rendered late: boot commands, `execute_command`, `inline`. A missing key renders as `<no value>`. A value that keeps producing
/// itself is an error after a hundred rounds.
package func renderTemplate(
    _ text: String, data: [String: String], context: TemplateContext
) throws(GoTemplateError) -> String {
    var current = text
    for _ in 0..<100 {
        guard current.contains("{{") else { return current }
        let next = try renderTemplateOnce(current, data: data, context: context)
        if next == current { return next }
        current = next
    }
    throw GoTemplateError("the text still changes after being rendered 100 times: does a value contain itself?")
}

/// Renders `text` as a Go template, once.
package func renderTemplateOnce(
    _ text: String, data: [String: String], context: TemplateContext
) throws(GoTemplateError) -> String {
    guard text.contains("{{") else { return text }
    let nodes = try GoTemplateParser.parse(text, functions: GoFunctions.names)
    return try GoTemplateExecutor.run(
        nodes, data: .map(data.mapValues(GoValue.string)), functions: GoFunctions(context: context))
}

/// Throws what makes `text` no Go template; nothing is rendered.
package func checkTemplate(_ text: String) throws(GoTemplateError) {
    guard text.contains("{{") else { return }
    _ = try GoTemplateParser.parse(text, functions: GoFunctions.names)
}
