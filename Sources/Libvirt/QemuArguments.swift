import Foundation
package import Machines

/// Packer's `qemuargs` applied to a machine.
///
/// As in Packer, any use of a switch replaces all that the machine would have had for that switch. What libvirt has a word
/// for goes into the description, the rest is given to QEMU as it stands.
package struct QemuArguments {
    private var machine: MachineDescription
    private var warnings: [String] = []
    private let rows: [(flag: String, value: String)]

    /// - Parameters:
    ///   - rows: Switch (with its dash) and its values joined.
    ///   - folder: What relative paths are relative to: as in Packer, the working directory.
    package init(
        _ rows: [(flag: String, value: String)], folder: String = FileManager.default.currentDirectoryPath
    ) {
        self.rows = rows.map { ($0.flag, ArgumentPaths.absolute($0.flag, $0.value, in: folder)) }
        machine = MachineDescription(
            name: "", memory: 0, cpus: 0, machineType: "", architecture: "", emulator: "", accelerator: .tcg, disks: [],
            cdroms: [], network: .none)
    }

    /// The changed machine; whether the arguments bring their own network, and with it their own forward of a port; and what
    /// could not be honoured.
    package func applied(
        to machine: MachineDescription
    ) -> (machine: MachineDescription, ownsNetwork: Bool, warnings: [String]) {
        var copy = self
        copy.machine = machine
        let flags = Set(rows.map(\.flag))
        // Packer's own drives are gone as soon as one is given.
        if flags.contains("-drive") {
            copy.machine.disks = []
            copy.machine.cdroms = []
        }
        if flags.contains("-cdrom") { copy.machine.cdroms = [] }
        let ownsNetwork = flags.contains("-netdev")
        if ownsNetwork || copy.namesNetworkCard { copy.takeOverNetwork() }
        for row in rows { copy.apply(row.flag, row.value) }
        // libvirt lets a machine boot only from what it knows, and these drives it does not know.
        if flags.contains("-drive") {
            let order = rows.last { $0.flag == "-boot" }?.value ?? ""
            copy.machine.arguments += ["-boot", (order.isEmpty ? "once=d" : order) + ",strict=off"]
        }
        return (copy.machine, ownsNetwork, copy.warnings)
    }

    private var cardModel: String? {
        switch machine.network {
        case .user(let model), .bridge(_, let model): model
        case .none: nil
        }
    }

    /// A `-device` value that names the network device keeps Packer's own card out.
    private var namesNetworkCard: Bool {
        guard let model = cardModel else { return false }
        return rows.contains { $0.flag == "-device" && $0.value.contains(model) }
    }

    private mutating func takeOverNetwork() {
        guard let model = cardModel else { return }
        if !rows.contains(where: { $0.flag == "-netdev" }) {
            var network = "user,id=user.0"
            if case .bridge(let bridge, _) = machine.network { network = "bridge,id=user.0,br=\(bridge)" }
            machine.arguments += ["-netdev", network]
        }
        if !namesNetworkCard {
            machine.arguments += ["-device", "\(model == "virtio" ? "virtio-net" : model),netdev=user.0"]
        }
        machine.network = .none
    }

    private mutating func apply(_ flag: String, _ value: String) {
        switch flag {
        case "-m": apply(memory: value)
        case "-smp": apply(processors: value)
        case "-cpu": machine.cpu = value
        case "-machine", "-M": apply(machineType: value)
        case "-accel": apply(accelerator: String(value.prefix { $0 != "," }))
        case "-enable-kvm": apply(accelerator: "kvm")
        case "-vga": machine.vga = value
        case "-bios": machine.firmware = .file(value, isFlash: false)
        case "-cdrom": machine.cdroms.append(value)
        case "-boot": apply(bootOrder: value)
        case "-serial", "-monitor", "-parallel":
            // Our process has no terminal to give away; what a guest says on its serial port is recorded anyway.
            if value != "none" && value != "stdio" && value != "mon:stdio" { pass(flag, value) }
        case "-display", "-nographic", "-curses", "-nodefaults", "-name", "-daemonize", "-S", "-qmp", "-pidfile":
            break  // libvirt sees to these itself.
        default: pass(flag, value)
        }
    }

    private mutating func pass(_ flag: String, _ value: String) {
        machine.arguments.append(flag)
        if !value.isEmpty { machine.arguments.append(value) }
    }

    private mutating func apply(memory value: String) {
        let text = value.hasPrefix("size=") ? String(value.dropFirst(5)) : value
        let number = text.prefix { $0 != "," }
        let factors: [Character: Double] = ["M": 1, "G": 1024, "T": 1_048_576, "K": 1.0 / 1024]
        let unit = number.last.flatMap { Character($0.uppercased()) }
        let factor = unit.flatMap { factors[$0] }
        guard let amount = Double(factor == nil ? number : number.dropLast()), amount > 0, amount < 1e9 else {
            return warnings.append("qemuargs: -m \(value) is not an amount of memory; it was left out")
        }
        machine.memory = max(1, Int(amount * (factor ?? 1)))
    }

    private mutating func apply(processors value: String) {
        var counts: [String: Int] = [:]
        for part in value.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard let number = Int(pair.last ?? ""), number > 0, number < 4096 else {
                warnings.append("qemuargs: \(part) in -smp \(value) is not a number; it was left out")
                continue
            }
            // maxcpus and the finer levels do not change what the guest starts with.
            counts[pair.count == 1 ? "cpus" : pair[0]] = number
        }
        machine.cpus = counts["cpus"] ?? 0
        machine.sockets = counts["sockets"] ?? 0
        machine.cores = counts["cores"] ?? 0
        machine.threads = counts["threads"] ?? 0
        // QEMU fills a missing term up: the cores first, then the sockets, then the threads.
        let given = [machine.sockets, machine.cores, machine.threads].filter { $0 > 0 }.reduce(1, *)
        guard given > 1, machine.cpus > given, machine.cpus % given == 0 else { return }
        let factor = machine.cpus / given
        if machine.cores == 0 {
            machine.cores = factor
        } else if machine.sockets == 0 {
            machine.sockets = factor
        } else if machine.threads == 0 {
            machine.threads = factor
        }
    }

    private mutating func apply(machineType value: String) {
        var rest: [Substring] = []
        for (index, part) in value.split(separator: ",").enumerated() {
            if index == 0 && !part.contains("=") {
                machine.machineType = String(part)
            } else if part.hasPrefix("type=") {
                machine.machineType = String(part.dropFirst(5))
            } else if part.hasPrefix("accel=") {
                apply(accelerator: String(part.dropFirst(6)))
            } else {
                rest.append(part)
            }
        }
        if !rest.isEmpty { machine.arguments += ["-machine", rest.joined(separator: ",")] }
    }

    private mutating func apply(accelerator value: String) {
        let names = value.split(separator: ":").map(String.init)
        if machine.accelerator == .kvm && !names.contains("kvm") { machine.accelerator = .tcg }
    }

    private mutating func apply(bootOrder value: String) {
        let order = value.split(separator: ",").compactMap { part -> Substring? in
            if part.hasPrefix("once=") { return part.dropFirst(5) }
            if part.hasPrefix("order=") { return part.dropFirst(6) }
            return part.contains("=") ? nil : part
        }
        // `once=d`, the usual one, is what a disk that is empty at first comes to anyway.
        if order.first?.hasPrefix("d") == true && !value.contains("once") { machine.bootsFromCDFirst = true }
    }
}
