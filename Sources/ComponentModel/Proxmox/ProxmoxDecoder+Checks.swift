import ProxmoxConfiguration

extension ProxmoxDecoder {
    /// Says what the server would refuse, where it is written.
    mutating func refuseProblems() {
        for problem in settings.machine.problems(forArchive: isArchive) where !context.isOpen(problem.reason) {
            let (name, index) = option(of: problem)
            if reader.isUndecided(name) { continue }
            let blocks = reader.blocks(name)
            let isOther = name == "additional_options" || !reader.isGiven(name)
            let summary = "Proxmox VE would refuse " + (isOther ? problem.option : name)
            let isHalf = ["is ", "must ", "shows "].contains(where: problem.reason.hasPrefix)
            let reason = isHalf ? "it " + problem.reason : problem.reason
            let words = reason.prefix(1).uppercased() + reason.dropFirst() + "."
            if let index, blocks.indices.contains(index) {
                reader.error("refused-by-proxmox", summary, words, in: name, block: index)
            } else {
                reader.error("refused-by-proxmox", summary, words, at: reader.isGiven(name) ? name : nil)
            }
        }
    }

    /// The template's name for an option of `qemu-server.conf`, and which of several blocks it is.
    private func option(of problem: ConfigurationProblem) -> (name: String, index: Int?) {
        let key = problem.option
        // What is known otherwise is named once more among them.
        if settings.machine.otherOptions[key] != nil, problem.reason == "is set twice" {
            return ("additional_options", nil)
        }
        if let name = Self.names[key] { return (name, nil) }
        let number = Int(String(key.drop { !$0.isNumber }))
        switch key.prefix(while: { !$0.isNumber }) {
        case "net": return ("network_adapters", number)
        case "ipconfig": return ("ipconfig", number)
        case "serial": return ("serials", nil)
        case "vga": return ("vga", 0)
        case "rng": return ("rng0", 0)
        case "efidisk": return ("efi_config", 0)
        case "tpmstate": return ("tpm_config", 0)
        default: break
        }
        if let place = settings.machine.disks.firstIndex(where: { "\($0.slot)" == key }) { return ("disks", place) }
        if let drive = settings.machine.cloudInit, "\(drive.slot)" == key { return ("cloud_init_disk_type", nil) }
        return ("additional_options", nil)
    }

    private static let names = [
        "vmid": "vm_id", "name": "template_name", "description": "template_description", "tags": "tags",
        "pool": "pool", "storage": "storage_pool", "machine": "machine", "cpu": "cpu_type", "cores": "cores",
        "sockets": "sockets", "memory": "memory", "balloon": "ballooning_minimum", "boot": "boot",
        "ciuser": "cloud_init_user", "cipassword": "cloud_init_password", "sshkeys": "cloud_init_ssh_keys",
        "nameserver": "nameserver", "searchdomain": "searchdomain",
    ]
}
