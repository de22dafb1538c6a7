import Foundation
import Scopes

/// The address of a network interface of this host: the first IPv4 one, or else the first IPv6 one without a scope.
///
/// - Parameter name: As in `http_interface`: `eth0`, `br0`, `lo`.
/// - Throws: `BuildError` that lists the existing interfaces.
package func addressOfInterface(_ name: String) throws -> String {
    var list: UnsafeMutablePointer<ifaddrs>?
    let operation = "find the address of the network interface \(name)"
    guard getifaddrs(&list) == 0 else {
        throw BuildError(operation, because: String(cString: strerror(errno)))
    }
    defer { freeifaddrs(list) }
    var names: [String] = []
    var addresses: [(family: Int32, text: String)] = []
    var next = list
    while let entry = next?.pointee {
        next = entry.ifa_next
        let found = String(cString: entry.ifa_name)
        if !names.contains(found) { names.append(found) }
        if found == name, let address = entry.ifa_addr, let text = numericAddress(address) {
            addresses.append((Int32(address.pointee.sa_family), text))
        }
    }
    if let address = addresses.first(where: { $0.family == AF_INET }) ?? addresses.first { return address.text }
    throw BuildError(
        operation, because: names.contains(name) ? "it has no address" : "there is no such interface",
        hint: "This host has \(names.sorted().joined(separator: ", ")).")
}

/// An internet address as text; nil for other addresses, and for IPv6 addresses that are only valid with their interface.
private func numericAddress(_ address: UnsafeMutablePointer<sockaddr>) -> String? {
    let family = Int32(address.pointee.sa_family)
    guard family == AF_INET || family == AF_INET6 else { return nil }
    let length = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    guard getnameinfo(address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else {
        return nil
    }
    let shown = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return shown.contains("%") ? nil : shown
}
