import BigInt

let networkFunctions: [String: Function] = [
    "cidrhost": Function(.string, .number) { arguments throws(FunctionError) in
        let network = try Network(try arguments.string(0))
        let number = try arguments.number(1)
        guard number.isInteger else { throw FunctionError("a whole number is required", argument: 1) }
        let hosts = BigInt(1) << (network.bits - network.prefix)
        let index = number.integer < 0 ? hosts + number.integer : number.integer
        guard index >= 0, index < hosts else {
            throw FunctionError("the prefix has no host number \(number.text)", argument: 1)
        }
        return .string(network.text(network.base + index))
    },
    "cidrnetmask": Function(.string) { arguments throws(FunctionError) in
        let network = try Network(try arguments.string(0))
        guard network.bits == 32 else { throw FunctionError("only IPv4 networks have a netmask", argument: 0) }
        let all = (BigInt(1) << 32) - 1
        return .string(network.text(all - ((BigInt(1) << (32 - network.prefix)) - 1)))
    },
    "cidrsubnet": Function(.string, .number, .number) { arguments throws(FunctionError) in
        let network = try Network(try arguments.string(0))
        let (newBits, number) = (try arguments.int(1), try arguments.number(2).integer)
        guard (0...network.bits - network.prefix).contains(newBits) else {
            throw FunctionError("\(newBits) more bits do not fit into the prefix", argument: 1)
        }
        guard number >= 0, number < (BigInt(1) << newBits) else {
            throw FunctionError("\(newBits) bits do not hold the number \(number)", argument: 2)
        }
        let prefix = network.prefix + newBits
        return .string("\(network.text(network.base + (number << (network.bits - prefix))))/\(prefix)")
    },
    "cidrsubnets": Function(.string, .number, isVariadic: true) { arguments throws(FunctionError) in
        let network = try Network(try arguments.string(0))
        var next = network.base
        let end = network.base + (BigInt(1) << (network.bits - network.prefix))
        var subnets: [String] = []
        for index in 1..<max(1, arguments.count) {
            let newBits = try arguments.int(index)
            let prefix = network.prefix + min(max(newBits, 0), 128)
            guard (1...32).contains(newBits), prefix <= network.bits else {
                throw FunctionError("between 1 and 32 more bits are possible, as far as they fit", argument: index)
            }
            let size = BigInt(1) << (network.bits - prefix)
            next = (next + size - 1) / size * size
            guard next + size <= end else {
                throw FunctionError("there is no room left in the prefix", argument: index)
            }
            subnets.append("\(network.text(next))/\(prefix)")
            next += size
        }
        return .strings(subnets)
    },
]

/// An IP network: its first address, and how many of its bits name the network.
private struct Network {
    let base: BigInt
    let prefix: Int
    let bits: Int

    init(_ text: String) throws(FunctionError) {
        let problem = FunctionError("\"\(text)\" is not a network such as 10.0.0.0/8", argument: 0)
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let prefix = Int(parts[1]) else { throw problem }
        guard let bytes = parts[0].contains(":") ? Self.six(parts[0]) : Self.four(parts[0]) else { throw problem }
        bits = bytes.count * 8
        guard (0...bits).contains(prefix) else { throw problem }
        self.prefix = prefix
        let address = bytes.reduce(BigInt(0)) { ($0 << 8) + BigInt($1) }
        base = (address >> (bits - prefix)) << (bits - prefix)
    }

    private static func four(_ text: Substring) -> [UInt8]? {
        // A zero before a number would make it octal elsewhere, so it is refused.
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).compactMap { part in
            part.allSatisfy(\.isNumber) && (part.first != "0" || part.count == 1) ? UInt8(part) : nil
        }
        return parts.count == 4 ? parts : nil
    }

    private static func six(_ text: Substring) -> [UInt8]? {
        let halves = String(text).components(at: "::")
        guard halves.count <= 2 else { return nil }
        let groups = halves.map { $0.split(separator: ":").map { UInt16($0, radix: 16) } }
        let known = groups.flatMap { $0 }
        guard !known.contains(nil), halves.count == 2 ? known.count < 8 : known.count == 8 else { return nil }
        let gap = Array(repeating: UInt16?.some(0), count: 8 - known.count)
        let all = halves.count == 2 ? groups[0] + gap + groups[1] : known
        return all.flatMap { group -> [UInt8] in group.map { [UInt8($0 >> 8), UInt8($0 & 255)] } ?? [] }
    }

    func text(_ address: BigInt) -> String {
        let bytes = (0..<bits / 8).map { UInt8(truncatingIfNeeded: Int((address >> (bits - 8 - $0 * 8)) & 255)) }
        if bits == 32 { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = (0..<8).map { (Int(bytes[$0 * 2]) << 8) + Int(bytes[$0 * 2 + 1]) }
        // The longest run of zeros, of two at least, is left out.
        var best = 0..<0
        var start = 0
        for index in 0...8 where index == 8 || groups[index] != 0 {
            if index - start > max(1, best.count) { best = start..<index }
            start = index + 1
        }
        let words = groups.map { String($0, radix: 16) }
        if best.isEmpty { return words.joined(separator: ":") }
        return words[..<best.lowerBound].joined(separator: ":") + "::"
            + words[best.upperBound...].joined(separator: ":")
    }
}

extension String {
    fileprivate func components(at separator: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}
