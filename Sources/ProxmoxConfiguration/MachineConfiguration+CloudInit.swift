import Foundation
import Scopes

extension MachineConfiguration {
    func checkCloudInit(_ found: inout Findings, forArchive: Bool) {
        guard let cloudInit else { return }
        let slot = cloudInit.slot
        if ![.ide, .sata, .scsi].contains(slot.bus) {
            found.add("\(slot)", "a cloud-init drive is on ide, sata or scsi")
        }
        found.check("\(slot)", cloudInit.storage.flatMap(Syntax.storageProblem))
        if let user = cloudInit.user, !Syntax.user.matches(user) {
            found.add("ciuser", "“\(user)” is not a user's name")
        }
        if let password = cloudInit.password?.reveal() {
            if password.isEmpty || password.unicodeScalars.contains(where: { $0.value < 0x20 }) {
                found.add("cipassword", "is empty or contains control characters")
            } else if forArchive, !Self.isHash(password) {
                found.add(
                    "cipassword", "must be a hash of crypt(5), such as `$6$…`: the archive would show it to anybody")
            }
        }
        for key in cloudInit.sshKeys where !Self.isPublicKey(key) {
            found.add("sshkeys", "“\(key.prefix(24))…” is not a public key in OpenSSH's form on one line")
        }
        if cloudInit.addresses.count > networks.count {
            found.add("ipconfig\(networks.count)", "there is no network adapter net\(networks.count)")
        }
        for (index, address) in cloudInit.addresses.enumerated() {
            found.check("ipconfig\(index)", address.problem)
        }
        for server in cloudInit.nameservers where !IPAddress.isAny(server) {
            found.add("nameserver", "“\(server)” is not an IP address")
        }
        for domain in cloudInit.searchDomains where DNSName.problem(domain) != nil {
            found.add("searchdomain", "“\(domain)” is not a domain's name")
        }
    }

    /// Options of the guest's first boot.
    func cloudInitOptions() -> [(key: String, value: String)] {
        guard let cloudInit else { return [] }
        var options: [(key: String, value: String)] = []
        if let kind = cloudInit.kind { options.append(("citype", kind.rawValue)) }
        if let user = cloudInit.user { options.append(("ciuser", user)) }
        if let password = cloudInit.password { options.append(("cipassword", password.reveal())) }
        if let upgrades = cloudInit.upgradesPackages { options.append(("ciupgrade", upgrades ? "1" : "0")) }
        if !cloudInit.sshKeys.isEmpty {
            // The option's own value is percent-encoded, in a form body it is so twice.
            options.append(("sshkeys", PercentEncoding.strict(cloudInit.sshKeys.joined(separator: "\n"))))
        }
        for (index, address) in cloudInit.addresses.enumerated() {
            let value = address.text
            if !value.isEmpty { options.append(("ipconfig\(index)", value)) }
        }
        if !cloudInit.nameservers.isEmpty {
            options.append(("nameserver", cloudInit.nameservers.joined(separator: " ")))
        }
        if !cloudInit.searchDomains.isEmpty {
            options.append(("searchdomain", cloudInit.searchDomains.joined(separator: " ")))
        }
        return options
    }

    /// Whether the server takes it for a hash and leaves it as it is.
    package static func isHash(_ text: String) -> Bool {
        ["$1$", "$5$", "$6$", "$2a$", "$2y$"].contains { text.hasPrefix($0) } && text.split(separator: "$").count >= 3
    }

    /// Whether it is one in OpenSSH's form, on one line.
    package static func isPublicKey(_ key: String) -> Bool {
        guard !key.unicodeScalars.contains(where: { $0.value < 0x20 }) else { return false }
        let words = key.split(separator: " ")
        return words.count >= 2
            && words.contains { $0.hasPrefix("ssh-") || $0.hasPrefix("ecdsa-") || $0.hasPrefix("sk-") }
    }
}

extension MachineConfiguration.Address {
    var text: String {
        [("gw", gateway), ("gw6", gateway6), ("ip", ip), ("ip6", ip6)]
            .compactMap { key, value in value.map { "\(key)=\($0)" } }.joined(separator: ",")
    }

    var problem: String? {
        if let ip, ip != "dhcp", !IPAddress.isNetwork(ip, bits: 32) {
            return "“\(ip)” is neither `dhcp` nor an address with prefix such as 10.0.0.5/24"
        }
        if let ip6, !["dhcp", "auto"].contains(ip6), !IPAddress.isNetwork(ip6, bits: 128) {
            return "“\(ip6)” is neither `dhcp`, `auto` nor an address with prefix such as fd00::5/64"
        }
        if let gateway {
            if !IPAddress.isV4(gateway) { return "the gateway “\(gateway)” is not an IPv4 address" }
            if ip == nil || ip == "dhcp" { return "a gateway needs a fixed address beside it" }
        }
        if let gateway6 {
            if !IPAddress.isV6(gateway6) { return "the gateway “\(gateway6)” is not an IPv6 address" }
            if ip6 == nil || ip6 == "dhcp" || ip6 == "auto" { return "a gateway needs a fixed address beside it" }
        }
        return nil
    }
}

/// Addresses in text, as the C library reads them.
enum IPAddress {
    static func isV4(_ text: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }
    static func isV6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }
    static func isAny(_ text: String) -> Bool { isV4(text) || isV6(text) }

    /// `address/prefix`, of the family with so many bits.
    static func isNetwork(_ text: String, bits: Int) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count <= 3, let prefix = Int(parts[1]), (1...bits).contains(prefix)
        else { return false }
        return bits == 32 ? isV4(String(parts[0])) : isV6(String(parts[0]))
    }
}
