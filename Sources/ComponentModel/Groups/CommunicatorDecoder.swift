import Scopes

/// Turns `communicator` and the options of SSH and WinRM into settings.
enum CommunicatorDecoder {
    static func decode(_ reader: inout OptionReader, _ context: ComponentContext) -> CommunicatorSettings {
        if reader.isUndecided("communicator") { return .none }
        switch reader.choice("communicator") {
        case "none": return .none
        case "winrm":
            if reader.text("winrm_username") == nil, !reader.isUndecided("winrm_username") {
                reader.missing("winrm_username", "It is the user that the WinRM communicator logs in as.")
            }
            checkPort("winrm_port", &reader)
            let words = "The communicator \"winrm\" is known, but not built into Ingot yet"
            let detail = "Windows 10 and Server 2019 have an OpenSSH server, too: communicator = \"ssh\" works with it."
            if context.isValidation {
                reader.warning("not-built-in", words, detail, at: "communicator")
            } else {
                reader.error("not-built-in", words, detail, at: "communicator")
            }
            return .winrm
        case nil where reader.text("communicator") != nil: return .none
        default: return .ssh(ssh(&reader, context))
        }
    }

    private static func checkPort(_ name: String, _ reader: inout OptionReader) {
        if let port = reader.int(name), !(0...65535).contains(port) {
            reader.error("invalid-port", "\(name) is out of range", "It must lie between 1 and 65535.", at: name)
        }
    }

    private static func ssh(_ reader: inout OptionReader, _ context: ComponentContext) -> SSHSettings {
        if reader.text("ssh_username") == nil, !reader.isUndecided("ssh_username") {
            reader.missing(
                "ssh_username",
                "It is the user that the SSH communicator logs in as. For a machine without SSH "
                    + "write communicator = \"none\".")
        }
        checkPort("ssh_port", &reader)
        let key = reader.text("ssh_private_key_file")
        for name in ["ssh_private_key_file", "ssh_certificate_file"] {
            if let path = reader.text(name) { reader.requireFile(path, name, context) }
        }
        if let key { reader.requirePrivateKey(key, "ssh_private_key_file", context) }
        if reader.isGiven("ssh_certificate_file"), key == nil, !reader.isUndecided("ssh_private_key_file"),
            reader.text("ssh_certificate_file") != nil
        {
            reader.error(
                "missing-option", "ssh_certificate_file needs ssh_private_key_file",
                "The certificate signs a key, which must be given too.", at: "ssh_certificate_file")
        }
        let port = reader.int("ssh_port") ?? 0
        let (timeout, attempts) = limits(&reader)
        let keepAlive = reader.duration("ssh_keep_alive_interval") ?? .seconds(5)
        return SSHSettings(
            host: reader.text("ssh_host"), port: (1...65535).contains(port) ? port : 22,
            username: reader.text("ssh_username") ?? "", password: reader.text("ssh_password").map { Sensitive($0) },
            privateKeyFile: key.map(context.home),
            certificateFile: reader.text("ssh_certificate_file").map(context.home),
            temporaryKeyType: reader.choice("temporary_key_pair_type"),
            temporaryKeyBits: reader.int("temporary_key_pair_bits").flatMap { $0 > 0 ? $0 : nil },
            temporaryKeyName: reader.text("temporary_key_pair_name"),
            clearsAuthorizedKeys: reader.bool("ssh_clear_authorized_keys"), timeout: timeout,
            handshakeAttempts: attempts, usesAgent: reader.bool("ssh_agent_auth"),
            forwardsAgent: !reader.bool("ssh_disable_agent_forwarding"), usesPTY: reader.bool("ssh_pty"),
            transferMethod: reader.choice("ssh_file_transfer_method")
                .flatMap(SSHSettings.TransferMethod.init),
            keepAliveInterval: keepAlive > .zero ? keepAlive : nil,
            readWriteTimeout: reader.duration("ssh_read_write_timeout").flatMap { $0 > .zero ? $0 : nil },
            ciphers: reader.strings("ssh_ciphers"),
            keyExchangeAlgorithms: reader.strings("ssh_key_exchange_algorithms"),
            pauseBeforeConnecting: reader.duration("pause_before_connecting").flatMap { $0 > .zero ? $0 : nil },
            hostPorts: hostPorts(&reader), skipsNATMapping: reader.bool("skip_nat_mapping"))
    }

    /// The defaults, five minutes and ten attempts, count only when neither is written: one alone leaves the other without limit.
    private static func limits(_ reader: inout OptionReader) -> (Duration?, Int) {
        let timeout = reader.duration("ssh_wait_timeout") ?? reader.duration("ssh_timeout") ?? .zero
        let attempts = max(0, reader.int("ssh_handshake_attempts") ?? 0)
        if timeout <= .zero, attempts == 0 { return (.seconds(300), 10) }
        return (timeout > .zero ? timeout : nil, attempts)
    }

    private static func hostPorts(_ reader: inout OptionReader) -> Range<Int> {
        let low = reader.isGiven("ssh_host_port_min") ? "ssh_host_port_min" : "host_port_min"
        let high = reader.isGiven("ssh_host_port_max") ? "ssh_host_port_max" : "host_port_max"
        return reader.ports(low, high, 2222..<4444)
    }
}

extension ComponentContext {
    /// With a leading `~` expanded, else as written.
    func home(_ path: String) -> String { path.hasPrefix("~") ? absolute(path) : path }
}
