import Foundation

/// One kind of value in the API's schema.
enum FakeType: Sendable {
    case text
    case integer(ClosedRange<Int>)
    case boolean
    case choice([String])
    case pattern(String)
    /// Comma-separated fields: the one without a name, if there is one, and the names of the others.
    case fields(bare: String?, [String])

    func problem(_ value: String) -> String? {
        switch self {
        case .text: return nil
        case .integer(let range):
            guard let number = Int(value) else { return "type check ('integer') failed - got '\(value)'" }
            return range.contains(number) ? nil : "value must be between \(range.lowerBound) and \(range.upperBound)"
        case .boolean: return ["0", "1"].contains(value) ? nil : "type check ('boolean') failed - got '\(value)'"
        case .choice(let all):
            return all.contains(value) ? nil : "value '\(value)' does not have a value in the enumeration '\(all)'"
        case .pattern(let pattern):
            return value.range(of: "^(?:\(pattern))$", options: .regularExpression) != nil
                ? nil : "value does not match the regex pattern"
        case .fields(let bare, let names):
            for (index, field) in value.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
                let pair = field.split(separator: "=", maxSplits: 1)
                if pair.count == 2, names.contains(String(pair[0])) { continue }
                if index == 0, let bare, String(field).range(of: "^(?:\(bare))$", options: .regularExpression) != nil {
                    continue
                }
                return "invalid format - format error: \(field): property is not defined in schema"
            }
            return nil
        }
    }
}

/// One call of the API: where it is, what it takes, what it needs.
struct FakeCall: Sendable {
    var name: String
    var method: String
    /// `{name}` stands for a part of the path.
    var path: [String]
    var parameters: [String: FakeType] = [:]
    var required: [String] = []
    /// Privileges on a path; any of them. Calls whose checks depend on values do them themselves.
    var check: (path: String, anyOf: [String])?

    init(
        _ name: String, _ method: String, _ path: String, _ parameters: [String: FakeType] = [:],
        required: [String] = [], check: (path: String, anyOf: [String])? = nil
    ) {
        self.name = name
        self.method = method
        self.path = path.split(separator: "/").map(String.init)
        self.parameters = parameters
        self.required = required
        self.check = check
    }

    /// The parts of a path that stand for something; nil if it is another path.
    func match(_ parts: [String]) -> [String: String]? {
        guard parts.count == path.count else { return nil }
        var found: [String: String] = [:]
        for (pattern, part) in zip(path, parts) {
            if pattern.hasPrefix("{") {
                found[String(pattern.dropFirst().dropLast())] = part
            } else if pattern != part {
                return nil
            }
        }
        return found
    }

    /// - Throws: `FakeRefusal` as the real server's check of parameters does.
    func checkParameters(_ given: [String: String]) throws {
        var errors: [String: String] = [:]
        for (key, value) in given {
            guard let type = type(of: key) else {
                errors[key] = "property is not defined in schema and the schema does not allow additional properties"
                continue
            }
            if let problem = type.problem(value) { errors[key] = problem }
        }
        for key in required where given[key] == nil { errors[key] = "property is missing and it is not optional" }
        if !errors.isEmpty { throw FakeRefusal.parameters(errors) }
    }

    private func type(of key: String) -> FakeType? {
        if let exact = parameters[key] { return exact }
        let stem = String(key.prefix { !$0.isNumber })
        guard let number = Int(key.dropFirst(stem.count)), let limit = Self.counts[stem], number < limit else {
            return nil
        }
        return parameters[stem + "[n]"]
    }

    private static let counts = [
        "net": 32, "ide": 4, "sata": 6, "scsi": 31, "virtio": 16, "serial": 4, "ipconfig": 32,
    ]
}

/// The calls in use, from the public schema of Proxmox VE 9.1, in own words.
enum FakeSchema {
    static let vmid = FakeType.integer(100...999_999_999)
    private static let anyNumber = FakeType.integer(0...(Int.max))
    private static let volume = "[A-Za-z][A-Za-z0-9._-]+:[^,\\s]+|none"
    private static let drive: [String] = [
        "file", "aio", "backup", "cache", "discard", "format", "import-from", "iothread", "media", "size", "ssd",
    ]
    private static let models = [
        "e1000", "e1000-82540em", "e1000-82544gc", "e1000-82545em", "e1000e", "i82551", "i82557b", "i82559er",
        "ne2k_isa", "ne2k_pci", "pcnet", "rtl8139", "virtio", "vmxnet3",
    ]

    static let options: [String: FakeType] = [
        "name": .pattern("([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\\.)*[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"),
        "description": .text, "tags": .pattern("[A-Za-z0-9_][A-Za-z0-9_+.-]*([;, ][A-Za-z0-9_][A-Za-z0-9_+.-]*)*"),
        "ostype": .choice([
            "other", "wxp", "w2k", "w2k3", "w2k8", "wvista", "win7", "win8", "win10", "win11", "l24", "l26", "solaris",
        ]),
        "machine": .pattern("(pc|q35|virt|pc-(q35|i440fx)-\\d+(\\.\\d+)+)(,.*)?"),
        "bios": .choice(["seabios", "ovmf"]),
        "cpu": .fields(bare: "[A-Za-z0-9._-]+", ["cputype", "flags", "hidden", "reported-model"]),
        "cores": .integer(1...9999), "sockets": .integer(1...9999), "memory": .integer(16...99_999_999),
        "balloon": anyNumber, "numa": .boolean, "kvm": .boolean,
        "scsihw": .choice(["lsi", "lsi53c810", "virtio-scsi-pci", "virtio-scsi-single", "megasas", "pvscsi"]),
        "net[n]": .fields(
            bare: models.joined(separator: "|"),
            ["model", "bridge", "firewall", "link_down", "macaddr", "mtu", "queues", "rate", "tag", "trunks"] + models),
        "serial[n]": .pattern("(/dev/.+|socket)"),
        "vga": .fields(bare: "[a-z0-9-]+", ["type", "memory", "clipboard"]),
        "rng0": .fields(bare: "/dev/(urandom|random|hwrng)", ["source", "max_bytes", "period"]),
        "agent": .fields(bare: "[01]", ["enabled", "fstrim_cloned_disks", "type", "freeze-fs"]),
        "boot": .pattern("order=[a-z0-9]+(;[a-z0-9]+)*"), "onboot": .boolean,
        "smbios1": .fields(
            bare: nil, ["uuid", "base64", "manufacturer", "product", "serial", "sku", "family", "version"]),
        "vmgenid": .text, "protection": .boolean, "hotplug": .text, "tablet": .boolean, "startup": .text,
        "citype": .choice(["configdrive2", "nocloud", "opennebula"]), "ciuser": .text, "cipassword": .text,
        "ciupgrade": .boolean, "sshkeys": .pattern("[-%a-zA-Z0-9_.!~*'()]*"),
        "ipconfig[n]": .fields(bare: nil, ["gw", "gw6", "ip", "ip6"]), "nameserver": .text, "searchdomain": .text,
        "ide[n]": .fields(bare: volume, drive), "sata[n]": .fields(bare: volume, drive),
        "scsi[n]": .fields(bare: volume, drive), "virtio[n]": .fields(bare: volume, drive.filter { $0 != "ssd" }),
        "efidisk0": .fields(bare: volume, ["file", "efitype", "format", "import-from", "pre-enrolled-keys", "size"]),
        "tpmstate0": .fields(bare: volume, ["file", "format", "import-from", "size", "version"]),
    ]

    private static let configPrivileges = [
        "VM.Config.Disk", "VM.Config.CDROM", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network",
        "VM.Config.HWType", "VM.Config.Options", "VM.Config.Cloudinit",
    ]
    private static let readStorage = (
        path: "/storage/{storage}", anyOf: ["Datastore.Audit", "Datastore.AllocateSpace"]
    )
    private static let task = "/nodes/{node}/tasks/{upid}"
    private static let machine = "/nodes/{node}/qemu/{vmid}"

    static let calls: [FakeCall] = [
        FakeCall("version", "GET", "/version"),
        FakeCall(
            "ticket", "POST", "/access/ticket",
            ["username": .text, "password": .text, "realm": .text, "otp": .text, "tfa-challenge": .text],
            required: ["username", "password"]),
        FakeCall("permissions", "GET", "/access/permissions", ["path": .text, "userid": .text]),
        FakeCall("nodes", "GET", "/nodes"),
        FakeCall("nextid", "GET", "/cluster/nextid", ["vmid": vmid]),
        FakeCall("resources", "GET", "/cluster/resources", ["type": .choice(["vm", "storage", "node", "sdn"])]),
        FakeCall(
            "storages", "GET", "/nodes/{node}/storage",
            ["content": .text, "enabled": .boolean, "format": .boolean, "storage": .text, "target": .text]),
        FakeCall(
            "contents", "GET", "/nodes/{node}/storage/{storage}/content", ["content": .text, "vmid": vmid],
            check: readStorage),
        FakeCall(
            "removeVolume", "DELETE", "/nodes/{node}/storage/{storage}/content/{volume}", ["delay": .integer(1...30)]),
        FakeCall(
            "upload", "POST", "/nodes/{node}/storage/{storage}/upload",
            [
                "content": .choice(["iso", "vztmpl", "import"]), "filename": .text, "checksum": .text,
                "checksum-algorithm": .choice(["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]),
            ], required: ["content", "filename"], check: ("/storage/{storage}", ["Datastore.AllocateTemplate"])),
        FakeCall(
            "create", "POST", "/nodes/{node}/qemu",
            options.merging(["vmid": vmid, "pool": .text, "start": .boolean, "storage": .text]) { $1 },
            required: ["vmid"]),
        FakeCall(
            "config", "GET", machine + "/config", ["current": .boolean, "snapshot": .text],
            check: ("/vms/{vmid}", ["VM.Audit"])),
        FakeCall(
            "change", "POST", machine + "/config", options.merging(["delete": .text, "digest": .text]) { $1 },
            check: ("/vms/{vmid}", configPrivileges)),
        FakeCall(
            "resize", "PUT", machine + "/resize",
            ["disk": .text, "size": .pattern("\\+?\\d+(\\.\\d+)?[KMGT]?"), "digest": .text],
            required: ["disk", "size"],
            check: ("/vms/{vmid}", ["VM.Config.Disk"])),
        FakeCall("template", "POST", machine + "/template", ["disk": .text], check: ("/vms/{vmid}", ["VM.Allocate"])),
        FakeCall(
            "remove", "DELETE", machine, ["purge": .boolean, "destroy-unreferenced-disks": .boolean],
            check: ("/vms/{vmid}", ["VM.Allocate"])),
        FakeCall(
            "tasks", "GET", "/nodes/{node}/tasks",
            ["source": .choice(["archive", "active", "all"]), "typefilter": .text, "vmid": vmid, "limit": anyNumber]),
        FakeCall("taskStatus", "GET", task + "/status"),
        FakeCall("taskLog", "GET", task + "/log", ["start": anyNumber, "limit": anyNumber]),
        FakeCall("stopTask", "DELETE", task),
    ]
}
