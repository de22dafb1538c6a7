import ProxmoxConfiguration

/// Options of machines of Proxmox VE. They are spelt as in Packer's plugin wherever it has them.
extension OptionTables {
    static let proxmoxTemplate: [OptionSpec] = options("output", .string) + proxmoxArchive

    /// What the block `proxmox` of a source takes.
    static let proxmoxArchive: [OptionSpec] = options("compression_level", .int) + proxmoxMachine

    static let proxmoxUpload: [OptionSpec] =
        options("proxmox_url username password token node pool ca_file fingerprint", .string)
        + options("insecure_skip_tls_verify ssh_agent_auth", .bool) + options("task_timeout", .duration)
        + choice("existing", "refuse replace version") + choice("delivery", "automatic upload ssh")
        + options("version_label import_storage_pool", .string) + options("keep ssh_port", .int)
        + options("ssh_host ssh_username ssh_password ssh_private_key_file ssh_host_key_fingerprint", .string)
        + proxmoxMachine

    private static let proxmoxMachine: [OptionSpec] =
        options("vm_id memory ballooning_minimum cores sockets", .int)
        + options("template_name template_description tags storage_pool machine cpu_type boot", .string)
        + choice("bios", MachineConfiguration.BIOS.self) + choice("os", MachineConfiguration.OSType.self)
        + choice("scsi_controller", MachineConfiguration.SCSIController.self)
        + options("nameserver searchdomain", .string) + options("serials", .strings)
        + options("numa disable_kvm qemu_agent onboot cloud_init cloud_init_disable_upgrade_packages", .bool)
        + options("cloud_init_storage_pool", .string) + choice("cloud_init_disk_type", "ide sata scsi")
        + choice("cloud_init_type", MachineConfiguration.CloudInit.Kind.self)
        + options("cloud_init_user cloud_init_password", .string)
        + options("cloud_init_ssh_keys cloud_init_ssh_key_files", .strings)
        + options("additional_options", .stringMap)
        + [
            OptionSpec("network_adapters", .block(networkAdapter)), OptionSpec("disks", .block(disk)),
            OptionSpec("vga", .block(options("type", .string) + options("memory", .int))),
            OptionSpec("rng0", .block(options("source", .string) + options("max_bytes period", .int))),
            OptionSpec(
                "tpm_config",
                .block(
                    options("tpm_storage_pool", .string)
                        + choice("tpm_version", MachineConfiguration.TPMState.Version.self))),
            OptionSpec(
                "efi_config",
                .block(
                    options("efi_storage_pool", .string)
                        + choice("efi_format", MachineConfiguration.DiskFormat.self)
                        + choice("efi_type", MachineConfiguration.EFIDisk.Kind.self)
                        + options("pre_enrolled_keys", .bool))),
            OptionSpec("ipconfig", .block(options("ip gateway ip6 gateway6", .string))),
        ]

    private static let networkAdapter: [OptionSpec] =
        choice("model", MachineConfiguration.NetworkAdapter.Model.self) + options("bridge mac_address", .string)
        + options("vlan_tag mtu packet_queues", .int)
        + options("firewall", .bool)

    private static let disk: [OptionSpec] =
        choice("type", "scsi virtio sata ide") + options("storage_pool disk_size", .string)
        + choice("format", MachineConfiguration.DiskFormat.self)
        + choice("cache_mode", MachineConfiguration.Disk.Cache.self)
        + choice("asyncio", MachineConfiguration.Disk.AIO.self)
        + options("io_thread discard ssd exclude_from_backup", .bool)
        + options("storage_pool_type", .string, .inert)
}
