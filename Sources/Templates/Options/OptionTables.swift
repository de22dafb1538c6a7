/// Every option of the components that are built in, and of what they share.
enum OptionTables {
    static let qemu: [OptionSpec] =
        qemuOwn + [OptionSpec("proxmox", .block(proxmoxArchive))] + iso + http + floppyAndCD + boot + shutdown
        + communicator

    private static let qemuOwn: [OptionSpec] =
        options("vm_name output_directory disk_size", .string) + choice("format", "qcow2 raw proxmox")
        + options("disk_additional_size", .strings)
        + options("disk_image use_backing_file skip_resize_disk skip_compaction disk_compression", .bool)
        + choice("disk_interface", "ide sata scsi sd virtio virtio-scsi")
        + choice("disk_cache", "writethrough writeback none unsafe directsync")
        + choice("disk_discard", "ignore unmap") + choice("disk_detect_zeroes", "unmap on off")
        + options("cdrom_interface", .string) + choice("accelerator", "none kvm tcg xen hax hvf whpx")
        + [OptionSpec("qemu_img_args", .block(options("convert create resize", .strings)))]
        + [OptionSpec("finish", .block(finish))]
        + options("machine_type cpu_model net_device net_bridge display vga", .string)
        + options("cpus sockets cores threads memory host_port_min host_port_max", .int)
        + options("skip_nat_mapping headless use_default_display", .bool)
        + options("vnc_bind_address vnc_password firmware efi_firmware_code efi_firmware_vars", .string)
        + options("vnc_port_min vnc_port_max", .int)
        + options("vnc_use_password disable_vnc use_pflash efi_boot efi_drop_efivars vtpm use_tpm1", .bool)
        + options("tpm_device_type qemu_binary libvirt_uri", .string) + options("checkpoint", .bool)
        + options("installer_dialog_timeout", .duration)
        + [
            OptionSpec("boot_steps", .rows, isLate: true),
            OptionSpec("qemuargs", .rows, isLate: true),
            OptionSpec("iso_skip_cache", .bool, .notYet),
            // libvirt always has a monitor, so there is nothing to enable.
            OptionSpec("qmp_enable", .bool, .inert),
            OptionSpec("qmp_socket_path", .string, .notYet),
            OptionSpec("run_once", .bool, .inert),
            OptionSpec("ssh_host_port_min", .int, .renamed("host_port_min")),
            OptionSpec("ssh_host_port_max", .int, .renamed("host_port_max")),
            OptionSpec("ssh_skip_nat_mapping", .bool, .gone("Write skip_nat_mapping instead.")),
        ]

    private static let iso: [OptionSpec] =
        options("iso_url iso_checksum iso_target_path iso_target_extension", .string) + options("iso_urls", .strings)
        + [
            OptionSpec(
                "iso_checksum_type", .string,
                .gone("Write the type in front of the checksum: iso_checksum = \"sha256:…\", or \"none\".")),
            OptionSpec("iso_checksum_url", .string, .gone("Write iso_checksum = \"file:URL\" instead.")),
            OptionSpec("iso_md5", .string, .gone("Write iso_checksum = \"md5:…\" instead.")),
        ]

    private static let http: [OptionSpec] =
        options("http_directory http_bind_address http_interface", .string) + options("http_content", .stringMap)
        + options("http_port_min http_port_max", .int) + options("http_network_protocol", .string, .notYet)

    private static let floppyAndCD: [OptionSpec] =
        options("floppy_files floppy_dirs cd_files", .strings) + options("floppy_content cd_content", .stringMap)
        + options("floppy_label cd_label", .string)

    private static let boot: [OptionSpec] =
        options("boot_wait boot_key_interval", .duration) + options("boot_keygroup_interval", .duration, .inert)
        + [OptionSpec("boot_command", .strings, isLate: true)]

    private static let shutdown: [OptionSpec] =
        options("shutdown_command", .string) + options("shutdown_timeout", .duration)

    private static let communicator: [OptionSpec] =
        choice("communicator", "ssh winrm none")
        + options("ssh_host ssh_username ssh_password ssh_private_key_file ssh_certificate_file", .string)
        + options("pause_before_connecting ssh_timeout", .duration)
        + choice("temporary_key_pair_type", "rsa ecdsa ed25519 dsa") + options("temporary_key_pair_name", .string)
        + choice("ssh_file_transfer_method", "scp sftp")
        + options("ssh_port ssh_handshake_attempts temporary_key_pair_bits", .int)
        + options("ssh_clear_authorized_keys ssh_agent_auth ssh_disable_agent_forwarding ssh_pty", .bool)
        + options("ssh_keep_alive_interval ssh_read_write_timeout", .duration)
        + options("ssh_ciphers ssh_key_exchange_algorithms", .strings)
        + options("ssh_keypair_name ssh_public_key ssh_private_key", .string, .notYet)
        + options("ssh_bastion_host ssh_bastion_username ssh_bastion_password", .string, .notYet)
        + options("ssh_bastion_private_key_file ssh_bastion_certificate_file", .string, .notYet)
        + options("ssh_bastion_port ssh_proxy_port", .int, .notYet)
        + options("ssh_bastion_interactive ssh_bastion_agent_auth", .bool, .notYet)
        + options("ssh_proxy_host ssh_proxy_username ssh_proxy_password", .string, .notYet)
        + options("ssh_local_tunnels ssh_remote_tunnels", .strings, .notYet)
        + options("winrm_username winrm_password winrm_host", .string) + options("winrm_port", .int)
        + options("winrm_timeout", .duration)
        + options("winrm_no_proxy winrm_use_ssl winrm_insecure winrm_use_ntlm", .bool)
        + [
            OptionSpec("ssh_wait_timeout", .duration, .renamed("ssh_timeout")),
            OptionSpec("ssh_key_path", .string, .gone("Write ssh_private_key_file instead.")),
            OptionSpec("ssh_disable_agent", .bool, .gone("Write ssh_disable_agent_forwarding instead.")),
        ]

    /// What the shell provisioners have in common.
    private static let scripts: [OptionSpec] =
        options("inline scripts environment_vars", .strings) + options("script env_var_format", .string)
        + options("env", .stringMap) + options("valid_exit_codes", .ints)

    static let shell: [OptionSpec] =
        scripts + options("remote_path remote_folder remote_file inline_shebang", .string)
        + options("binary use_env_var_file skip_clean expect_disconnect", .bool)
        + options("start_retry_timeout pause_after", .duration)
        + [OptionSpec("execute_command", .string, isLate: true)]

    static let file: [OptionSpec] =
        options("content source destination", .string) + choice("direction", "upload download")
        + options("sources", .strings) + options("generated", .bool)

    static let shellLocal: [OptionSpec] =
        scripts + options("command inline_shebang tempfile_extension", .string)
        + options("use_linux_pathing binary", .bool, .inert)
        + [
            OptionSpec("execute_command", .strings, isLate: true),
            OptionSpec(
                "only_on", .strings, choices: ["darwin", "freebsd", "linux", "openbsd", "solaris", "windows"]),
        ]

    static let breakpoint: [OptionSpec] = options("note", .string) + options("disable", .bool)
    static let sleep: [OptionSpec] = options("duration", .duration)

    static let checksum: [OptionSpec] =
        [
            OptionSpec(
                "checksum_types", .strings, choices: ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]),
            OptionSpec("output", .string, isLate: true),
        ]

    static let manifest: [OptionSpec] =
        options("output", .string) + options("strip_path strip_time", .bool) + options("custom_data", .stringMap)
        + [OptionSpec("filename", .string, .gone("Write output instead."))]
}
