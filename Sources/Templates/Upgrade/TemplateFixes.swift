import HCL

/// The rewriting that `packer fix` does: options of older Packer versions under their names of today, for the
/// components of every platform.
///
/// What was written in a form that no fix knows stays as it is.
struct TemplateFixes {
    /// The template after all fixes.
    static func apply(to root: JSONNode) -> JSONNode {
        guard var members = root.members else { return root }
        for index in members.indices {
            let value = members[index].value
            switch members[index].name {
            case "builders": members[index].value = value.mappingObjects { BuilderFixes.apply(to: &$0) }
            case "provisioners": members[index].value = value.mappingObjects { provisioner(&$0) }
            case "post-processors":
                let elements = value.elements?.map { element in
                    element.elements == nil
                        ? element.mappingObject { postProcessor(&$0) }
                        : element.mappingObjects { postProcessor(&$0) }
                }
                if let elements { members[index].value = value.with(.array(elements)) }
            default: break
            }
        }
        return root.with(.object(members))
    }

    private static func provisioner(_ options: inout [JSONNode.Member]) {
        switch options["type"]?.text {
        case "ansible-local": options.rename("galaxycommand", "galaxy_command")
        case "powershell":
            for name in ["elevated_user", "elevated_password"] {
                options[name] = options[name].map { $0.text == nil ? $0 : $0.mappingTexts(withoutEscapes) }
            }
            if let variables = options["environment_vars"], variables.elements != nil {
                options["environment_vars"] = variables.mappingTexts(withoutEscapes)
            }
        default: break
        }
    }

    /// PowerShell's escapes of dollar signs, quotes and backquotes are written by the provisioner itself today.
    private static func withoutEscapes(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            if character == "`", let next = rest.first, "$\"`'".contains(next) {
                rest.removeFirst()
                result.append(next)
            } else {
                result.append(character)
            }
        }
        return result
    }

    private static func postProcessor(_ options: inout [JSONNode.Member]) {
        switch options["type"]?.text {
        case "manifest": if options["filename"]?.text != nil { options.replace("output", with: "filename") }
        case "docker-push": options["login_email"] = nil
        case "docker-tag":
            let old: [JSONNode]
            switch options["tag"] {
            case let tag? where tag.text != nil:
                old = (tag.text ?? "").split(separator: ",").map { tag.with(.string(String($0))) }
            case let tag?: old = tag.elements ?? [tag]
            case nil: return
            }
            let new = options["tags"]
            if let place = options.take("tag") { options["tags"] = place.with(.array(old + (new?.elements ?? []))) }
        case "vagrant":
            for name in ["aws", "digitalocean", "virtualbox", "vmware"] {
                guard let settings = options.take(name) else { continue }
                var overrides = options["override"]?.members ?? []
                overrides[name] = settings
                options["override"] = settings.with(.object(overrides))
            }
        default: break
        }
    }
}

extension JSONNode {
    /// A list with every object in it changed.
    fileprivate func mappingObjects(_ change: (inout [Member]) -> Void) -> JSONNode {
        guard let elements else { return self }
        return with(.array(elements.map { $0.mappingObject(change) }))
    }

    fileprivate func mappingObject(_ change: (inout [Member]) -> Void) -> JSONNode {
        guard var members else { return self }
        change(&members)
        return with(.object(members))
    }
}
