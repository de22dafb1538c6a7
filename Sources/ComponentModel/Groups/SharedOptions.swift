// Options that several sources have in common.

extension BootMedium {
    package static let options: [Option] = [
        .text("iso_url", "The installer or disk image: a URL or a path."),
        .list("iso_urls", "Several places of the same installer or image, tried in order."),
        .text(
            "iso_checksum",
            "The checksum of the medium, such as \"sha256:…\", \"file:URL\" of a list of checksums, or \"none\"."),
        .text("iso_target_path", "The file or folder that a download is kept in.", default: "Ingot's cache"),
        .text("iso_target_extension", "The extension of a download in the cache.", default: "iso"),
        .bool("iso_skip_cache", "Whether the machine reads the medium from its server instead of from a download.")
            .notYet,
        .text("iso_checksum_type", "The kind of the checksum.").gone(
            "Write the type in front of the checksum: iso_checksum = \"sha256:…\", or \"none\"."),
        .text("iso_checksum_url", "The URL of a list of checksums.").gone(
            "Write iso_checksum = \"file:URL\" instead."),
        .text("iso_md5", "The MD5 checksum of the medium.").gone("Write iso_checksum = \"md5:…\" instead."),
    ]
}

extension HTTPSettings {
    package static let options: [Option] = [
        .folder("http_directory", "The folder whose files the guest can fetch over HTTP."),
        .map("http_content", "Texts that the guest can fetch over HTTP, by their paths."),
        .int("http_port_min", "The first port that the HTTP server may use.", default: "8000"),
        .int("http_port_max", "The end of the range of these ports, which is not used itself.", default: "9000"),
        .text("http_bind_address", "The address that the HTTP server listens at."),
        .text("http_interface", "The network interface whose address the HTTP server listens at."),
        .text("http_network_protocol", "The protocol that the HTTP server listens with, such as tcp4.").notYet,
    ]
}

extension SeedSettings {
    package static let options: [Option] = [
        .globs("cd_files", "Files and folders of a CD in the guest's second drive; patterns such as seed/* work."),
        .map("cd_content", "Texts of files of that CD, by their paths; they win over cd_files."),
        .text("cd_label", "The label of that CD.", default: "packer"),
        .globs("floppy_files", "Files of a floppy disk, without their folders; patterns work."),
        .folders("floppy_dirs", "Folders that are copied to that floppy disk with all that is in them."),
        .map("floppy_content", "Texts of files of that floppy disk, by their names."),
        .text("floppy_label", "The label of that floppy disk.", default: "packer"),
    ]
}

extension BootSettings {
    /// What markers of a boot command can ask for.
    package static let fields = ["HTTPIP", "HTTPPort", "Name", "SSHPublicKey", "SyslogIP", "SyslogPort"]

    package static let options: [Option] = [
        .duration(
            "boot_wait", "How long the machine boots before the boot command is typed; negative for not at all.",
            default: "10s"),
        .list("boot_command", "What is typed at the machine's screen; keys such as <enter> are in angle brackets.")
            .late(fields),
        .rows("boot_steps", "The boot command in steps, as rows of what is typed and a description.").late(fields),
        .duration(
            "boot_key_interval", "The time between two keys, unless PACKER_KEY_INTERVAL gives it.",
            default: "what the guest can follow"),
        .duration("boot_keygroup_interval", "The time between two groups of keys.").inert,
    ]
}

extension ShutdownSettings {
    package static let options: [Option] = [
        .text("shutdown_command", "The command that shuts the guest down; without one its power button is pressed."),
        .duration("shutdown_timeout", "How long the guest may take to shut down.", default: "5m"),
    ]
}

extension CommunicatorSettings {
    package static let options: [Option] = common + SSHSettings.options + winRM

    private static let common: [Option] = [
        .choice("communicator", "How the guest is reached.", of: ["ssh", "winrm", "none"], default: "ssh"),
        .duration("pause_before_connecting", "How long to wait between the first connection and the one that is used."),
    ]

    private static let winRM: [Option] = [
        .text("winrm_username", "The user that logs in over WinRM."),
        .secret("winrm_password", "The password of that user."),
        .text("winrm_host", "The address of the guest, where it is not found by itself."),
        .int("winrm_port", "The port of WinRM in the guest.", default: "5985, or 5986 with SSL"),
        .duration("winrm_timeout", "How long to wait for WinRM.", default: "30m"),
        .bool("winrm_no_proxy", "Whether a proxy of the environment is ignored."),
        .bool("winrm_use_ssl", "Whether WinRM is used over HTTPS."),
        .bool("winrm_insecure", "Whether the guest's certificate is not checked."),
        .bool("winrm_use_ntlm", "Whether NTLM is used to log in, instead of a plain password."),
    ]
}

extension SSHSettings {
    package static let options: [Option] = own + keys + unused + old

    private static let own: [Option] = [
        .text("ssh_host", "The address of the guest, where it is not found by itself."),
        .int("ssh_port", "The port of SSH in the guest.", default: "22"),
        .text("ssh_username", "The user that logs in; required with this communicator."),
        .secret("ssh_password", "The password of that user."),
        .duration(
            "ssh_timeout", "How long to wait for SSH; without limit where only ssh_handshake_attempts is given.",
            default: "5m"),
        .int(
            "ssh_handshake_attempts", "How often logging in may fail; without limit where only ssh_timeout is given.",
            default: "10"),
        .bool("ssh_pty", "Whether commands get a terminal."),
        .choice(
            "ssh_file_transfer_method", "How files are copied.", of: ["scp", "sftp"], default: "what the guest has"),
        .duration(
            "ssh_keep_alive_interval", "How often a sign of life is sent; negative for never.", default: "5s"),
        .duration(
            "ssh_read_write_timeout", "How long the guest may be silent before the connection counts as lost.",
            default: "no limit"),
        .list("ssh_ciphers", "The ciphers that may be used.", default: "those of the SSH library"),
        .list(
            "ssh_key_exchange_algorithms", "The key exchanges that may be used.", default: "those of the SSH library"),
    ]

    private static let keys: [Option] = [
        .file("ssh_private_key_file", "The private key to log in with.", default: "a key made for the build"),
        .file("ssh_certificate_file", "The certificate that signs ssh_private_key_file."),
        .choice(
            "temporary_key_pair_type", "The kind of the key that is made for the build.",
            of: ["rsa", "ecdsa", "ed25519", "dsa"], default: "rsa"),
        .int("temporary_key_pair_bits", "The length of that key in bits.", default: "what is usual for its kind"),
        .text("temporary_key_pair_name", "The comment of that key."),
        .bool(
            "ssh_clear_authorized_keys",
            "Whether that key is removed from the guest after provisioning; needs temporary_key_pair_name."),
        .bool("ssh_agent_auth", "Whether the keys of the SSH agent are tried."),
        .bool("ssh_disable_agent_forwarding", "Whether the guest cannot use the SSH agent."),
    ]

    private static let unused: [Option] = [
        .text("ssh_keypair_name", "The name of a key pair that the platform keeps.").notYet,
        .text("ssh_public_key", "The public key that belongs to ssh_private_key.").notYet,
        .secret("ssh_private_key", "The text of the private key to log in with.").notYet,
        .text("ssh_bastion_host", "The host that connections to the guest go through.").notYet,
        .int("ssh_bastion_port", "The port of SSH on that host.", default: "22").notYet,
        .text("ssh_bastion_username", "The user that logs in at that host.").notYet,
        .secret("ssh_bastion_password", "The password of that user.").notYet,
        .bool("ssh_bastion_interactive", "Whether that host may ask for the password interactively.").notYet,
        .bool("ssh_bastion_agent_auth", "Whether the keys of the SSH agent are tried at that host.").notYet,
        .file("ssh_bastion_private_key_file", "The private key to log in with at that host.").notYet,
        .file("ssh_bastion_certificate_file", "The certificate that signs that key.").notYet,
        .text("ssh_proxy_host", "The SOCKS5 proxy that connections to the guest go through.").notYet,
        .int("ssh_proxy_port", "The port of that proxy.", default: "1080").notYet,
        .text("ssh_proxy_username", "The user of that proxy.").notYet,
        .secret("ssh_proxy_password", "The password of that user.").notYet,
        .list("ssh_local_tunnels", "Ports of this host that lead into the guest, as PORT:HOST:PORT.").notYet,
        .list("ssh_remote_tunnels", "Ports of the guest that lead to this host, as PORT:HOST:PORT.").notYet,
    ]

    private static let old: [Option] = [
        .duration("ssh_wait_timeout", "How long to wait for SSH.").renamed(to: "ssh_timeout"),
        .text("ssh_key_path", "The private key to log in with.").gone("Write ssh_private_key_file instead."),
        .bool("ssh_disable_agent", "Whether the guest cannot use the SSH agent.").gone(
            "Write ssh_disable_agent_forwarding instead."),
    ]
}
