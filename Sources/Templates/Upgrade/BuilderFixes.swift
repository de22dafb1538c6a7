import HCL

/// The fixes for builders.
enum BuilderFixes {
    /// Types that have another name today.
    static let types = ["virtualbox": "virtualbox-iso", "vmware": "vmware-iso", "proxmox": "proxmox-iso"]

    static func apply(to options: inout [JSONNode.Member]) {
        guard let typeNode = options["type"], let written = typeNode.text else { return }
        if written == "virtualbox" { guestAdditions(&options) }
        let type = types[written] ?? written
        options["type"] = typeNode.with(.string(type))

        texts(&options)
        checksum(&options)
        options.rename("ssh_key_path", "ssh_private_key_file")
        options.rename("ssh_disable_agent", "ssh_disable_agent_forwarding")
        if options["ssh_wait_timeout"]?.text != nil { options.rename("ssh_wait_timeout", "ssh_timeout") }
        if type == "qemu" || type.hasPrefix("virtualbox") {
            for name in ["host_port_min", "host_port_max"] {
                if type == "qemu" { options.replace(name, with: "ssh_" + name) }
                options.rename("ssh_" + name, name)
            }
            options.rename("ssh_skip_nat_mapping", "skip_nat_mapping")
        }
        if type.hasPrefix("amazon-") { amazon(&options, type) }
        if type.hasPrefix("azure-") {
            options = options.map { member in
                var member = member
                member.value = member.value.renaming("exlude_from_latest", "exclude_from_latest")
                return member
            }
            options.rename("exlude_from_latest", "exclude_from_latest")
        }
        if type.hasPrefix("parallels-") {
            options["headless"] = nil
            options["parallels_tools_host_path"] = nil
            options.replace("guest_os_type", with: "guest_os_distribution")
        }
        if type.hasPrefix("hyperv-") {
            if type == "hyperv-iso" { options["vhd_temp_path"] = nil }
            if type == "hyperv-vmcx" { options.replace("clone_from_vmcx_path", with: "clone_from_vmxc_path") }
            options.replace("cpus", with: "cpu")
            options.replace("memory", with: "ram_size")
        }
        switch type {
        case "qemu":
            // A number counts MiB.
            if let size = options["disk_size"], case .number(let digits) = size.kind {
                let whole = JSONNode.printedNumber(digits).prefix { $0 != "." }
                options["disk_size"] = size.with(.string(whole + "M"))
            }
        case "scaleway": options.rename("access_key", "organization_id")
        case "docker": options["login_email"] = nil
        case "vmware-iso":
            // Only thin disks can be compacted there.
            if let remote = options["remote_type"], remote.text == "esx5", options["disk_type_id"]?.text != "thin" {
                options["skip_compaction"] = remote.with(.bool(true))
                if options["disk_type_id"] == nil { options["disk_type_id"] = remote.with(.string("zeroedthick")) }
            }
        case "vsphere-iso": vsphere(&options)
        default: break
        }
    }

    private static func guestAdditions(_ options: inout [JSONNode.Member]) {
        guard let node = options["guest_additions_attach"], case .bool(let isAttached) = node.kind else { return }
        options["guest_additions_attach"] = nil
        options["guest_additions_mode"] = node.with(.string(isAttached ? "attach" : "upload"))
    }

    /// Names of functions and fields inside of texts.
    private static func texts(_ options: inout [JSONNode.Member]) {
        for index in options.indices {
            options[index].value = options[index].value.mappingTexts { text in
                guard text.contains("CreateTime") || text.contains("clean_") else { return text }
                return
                    text
                    .replacing("clean_image_name", with: "clean_resource_name")
                    .replacing("clean_ami_name", with: "clean_resource_name")
                    .replacing(/\{\{\s*\.CreateTime\s*\}\}/, with: "{{timestamp}}")
            }
        }
    }

    private static func checksum(_ options: inout [JSONNode.Member]) {
        let names = ["iso_md5", "iso_checksum_type", "iso_checksum_url"]
        let old = names.compactMap { name in options[name].map { (name, $0) } }
        guard let place = old.first?.1 else { return }
        // What is not text is for a reader to sort out.
        for (_, node) in old + (options["iso_checksum"].map { [("", $0)] } ?? []) where node.text == nil { return }
        let joined = LegacyFixes.joinedChecksum(
            type: options["iso_checksum_type"]?.text ?? "", checksum: options["iso_checksum"]?.text ?? "",
            md5: options["iso_md5"]?.text ?? "", url: options["iso_checksum_url"]?.text ?? "")
        for name in names { options[name] = nil }
        if let joined { options["iso_checksum"] = place.with(.string(joined)) }
    }

    private static func amazon(_ options: inout [JSONNode.Member], _ type: String) {
        options.replace("shutdown_behavior", with: "shutdown_behaviour")
        if type != "amazon-chroot" { options["spot_price_auto_product"] = nil }
        if case .bool? = options["enhanced_networking"]?.kind, options["ena_support"] == nil {
            options.rename("enhanced_networking", "ena_support")
        }
        if let node = options["ssh_private_ip"], options["ssh_interface"] == nil, let isPrivate = truth(node) {
            options["ssh_private_ip"] = nil
            options["ssh_interface"] = node.with(.string(isPrivate ? "private_ip" : "public_ip"))
        }
        let range = "temporary_security_group_source_cidr"
        if let node = options[range], node.text != nil {
            options.rename(range, range + "s")
            options[range + "s"] = options[range + "s"].map { $0.text == nil ? $0 : node.with(.array([$0])) }
        }
    }

    private static func truth(_ node: JSONNode) -> Bool? {
        switch node.kind {
        case .bool(let flag): flag
        case .string("1"), .string("t"), .string("T"), .string("TRUE"), .string("true"), .string("True"): true
        case .string("0"), .string("f"), .string("F"), .string("FALSE"), .string("false"), .string("False"): false
        default: nil
        }
    }

    /// The only disk and the only network card became the first of lists.
    private static func vsphere(_ options: inout [JSONNode.Member]) {
        options.rename("networkCard", "network_card")
        for (list, names) in [
            ("storage", ["disk_size", "disk_thin_provisioned", "disk_eagerly_scrub"]),
            ("network_adapters", ["network", "network_card"]),
        ] {
            let first = options.filter { names.contains($0.name) }
            guard let place = first.first?.value else { continue }
            let others = options[list].map { $0.elements ?? [$0] } ?? []
            for name in names { options[name] = nil }
            options[list] = place.with(.array([place.with(.object(first))] + others))
        }
    }
}

extension JSONNode {
    fileprivate func renaming(_ old: String, _ new: String) -> JSONNode {
        switch kind {
        case .array(let elements): return with(.array(elements.map { $0.renaming(old, new) }))
        case .object(var members):
            members.rename(old, new)
            return with(.object(members))
        default: return self
        }
    }
}
