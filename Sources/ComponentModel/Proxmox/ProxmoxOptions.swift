import ProxmoxConfiguration

/// Options of machines of Proxmox VE. They are spelt as in Packer's plugin wherever it has them.
extension ProxmoxMachineSettings {
    package static let options: [Option] = identity + hardware + blocks + cloudInit

    private static let identity: [Option] = [
        .int("vm_id", "The number of the template on the server, 100 to 999999999.", default: "the next free one"),
        .text("template_name", "The name of the template.", default: "made of vm_name"),
        .text("template_description", "The notes that the server shows, in Markdown."),
        .text("tags", "The tags of the template, separated by semicolons."),
        .bool("onboot", "Whether machines made of the template start with their server."),
        .text("storage_pool", "The storage that the disks are kept on.", default: "local-lvm"),
    ]

    private static let hardware: [Option] = [
        .int("memory", "The memory in MiB.", default: "that of the source"),
        .int("ballooning_minimum", "The memory in MiB that a balloon leaves at least; 0 turns ballooning off."),
        .int("cores", "The number of cores in each socket.", default: "those of the source"),
        .int("sockets", "The number of processor sockets.", default: "those of the source"),
        .text("cpu_type", "The model of the processor, such as host.", default: "x86-64-v2-AES"),
        .bool("numa", "Whether the machine has NUMA."),
        .bool("disable_kvm", "Whether the server emulates the processor instead of using KVM."),
        .text("machine", "The machine that QEMU emulates, such as q35.", default: "that of the source"),
        .choice(
            "bios", "The firmware; ovmf is UEFI.", of: MachineConfiguration.BIOS.self, default: "that of the source"),
        .choice(
            "os", "The operating system that the server tunes the machine for; l26 is Linux.",
            of: MachineConfiguration.OSType.self, default: "l26"),
        .choice(
            "scsi_controller", "The SCSI controller.", of: MachineConfiguration.SCSIController.self,
            default: "virtio-scsi-single"),
        .text("boot", "The devices to boot from, such as \"order=scsi0;net0\".", default: "the first disk"),
        .list("serials", "Serial ports: socket, or a device of the server."),
        .bool("qemu_agent", "Whether the server talks to the QEMU agent in the guest.", default: "true"),
        .map("additional_options", "Further options of qemu-server.conf."),
    ]

    private static let blocks: [Option] = [
        .block(
            "network_adapters", "A network card; one with the bridge vmbr0 where there is no such block.",
            [
                .choice(
                    "model", "The model of the card.", of: MachineConfiguration.NetworkAdapter.Model.self,
                    default: "that of the source"),
                .text("bridge", "The server's bridge, such as \"vmbr0\".", required: true),
                .text("mac_address", "The MAC address of the card.", default: "chosen by the server"),
                .int("vlan_tag", "The VLAN that the card is in."),
                .int("mtu", "The MTU of the card."),
                .int("packet_queues", "The number of packet queues."),
                .bool("firewall", "Whether the server's firewall protects the card."),
            ]),
        .block(
            "disks", "How a disk is attached; a block for each disk of the source, in their order.",
            [
                .choice(
                    "type", "The bus of the disk.", of: ["scsi", "virtio", "sata", "ide"],
                    default: "that of the source"),
                .text("storage_pool", "The storage that this disk is kept on."),
                .size("disk_size", "The size that the disk grows to."),
                .choice("format", "The format of the disk.", of: MachineConfiguration.DiskFormat.self),
                .choice(
                    "cache_mode", "How writes are cached.", of: MachineConfiguration.Disk.Cache.self),
                .choice("asyncio", "How the server reads and writes.", of: MachineConfiguration.Disk.AIO.self),
                .bool(
                    "io_thread", "Whether the disk has a thread of its own.",
                    default: "true where the bus allows it"),
                .bool("discard", "Whether discarded blocks are given back.", default: "true"),
                .bool("ssd", "Whether the guest sees a solid-state disk."),
                .bool("exclude_from_backup", "Whether backups leave the disk out."),
                .text("storage_pool_type", "An old option of Packer's plugin.").inert,
            ]),
        .block(
            "vga", "The graphics card.",
            [
                .text("type", "The model of the card.", default: "std"),
                .int("memory", "The memory of the card in MiB."),
            ]),
        .block(
            "rng0", "A source of random numbers.",
            [
                .text("source", "The device of the server that they come from.", default: "/dev/urandom"),
                .int("max_bytes", "How many bytes the guest gets in each period."),
                .int("period", "The length of a period in milliseconds."),
            ]),
        .block(
            "efi_config", "The disk of the UEFI variables.",
            [
                .text("efi_storage_pool", "The storage that it is kept on."),
                .choice("efi_format", "The format of that disk.", of: MachineConfiguration.DiskFormat.self),
                .choice(
                    "efi_type", "The size of the firmware that the variables are for.",
                    of: MachineConfiguration.EFIDisk.Kind.self, default: "that of the build's variables"),
                .bool("pre_enrolled_keys", "Whether the keys of Secure Boot are enrolled."),
            ]),
        .block(
            "tpm_config", "The TPM, which the server creates anew.",
            [
                .text("tpm_storage_pool", "The storage that its state is kept on."),
                .choice(
                    "tpm_version", "The version of the TPM.", of: MachineConfiguration.TPMState.Version.self,
                    default: "that of the source"),
            ]),
    ]

    private static let cloudInit: [Option] = [
        .bool(
            "cloud_init", "Whether there is a drive with settings for cloud-init.",
            default: "true where one of them is given"),
        .text("cloud_init_storage_pool", "The storage that this drive is kept on."),
        .choice(
            "cloud_init_disk_type", "The bus of this drive.", of: ["ide", "sata", "scsi"], default: "ide"),
        .choice(
            "cloud_init_type", "The format of the settings.", of: MachineConfiguration.CloudInit.Kind.self,
            default: "what suits os"),
        .text("cloud_init_user", "The user that cloud-init creates."),
        .secret("cloud_init_password", "The password of that user, or its hash; only the hash is written."),
        .list("cloud_init_ssh_keys", "Public keys that may log in as that user."),
        .files("cloud_init_ssh_key_files", "Files with such keys."),
        .bool(
            "cloud_init_disable_upgrade_packages", "Whether cloud-init does not upgrade packages at the first start."),
        .block(
            "ipconfig", "The addresses of a network card; a block for each card, in their order.",
            [
                .text("ip", "The IPv4 address with its prefix length, or dhcp."),
                .text("gateway", "The IPv4 gateway."),
                .text("ip6", "The IPv6 address with its prefix length, auto or dhcp."),
                .text("gateway6", "The IPv6 gateway."),
            ]),
        .text("nameserver", "The name servers of the guest, separated by spaces."),
        .text("searchdomain", "The domains that the guest looks names up in."),
    ]
}

extension ProxmoxArchiveSettings {
    /// What the block `proxmox` of a source takes.
    package static let options: [Option] =
        [.int("compression_level", "The compression level of zstd, 1 to 22.", default: "3")]
        + ProxmoxMachineSettings.options

    /// What the post-processor `proxmox-template` takes.
    package static let postProcessorOptions: [Option] =
        [.text("output", "The folder that the archive is written to.", default: "the folder of the images")] + options
}

extension ProxmoxUploadSettings {
    package static let options: [Option] = server + template + shell + ProxmoxMachineSettings.options

    private static let server: [Option] = [
        .text(
            "proxmox_url",
            "The server, such as https://pve.example.com:8006/api2/json; the variable PROXMOX_URL gives it, too."),
        .text(
            "username",
            "The user with realm, or the API token as user@realm!name; the variable PROXMOX_USERNAME gives it, too."),
        .secret("password", "The password of the user; the variable PROXMOX_PASSWORD gives it, too."),
        .secret("token", "The secret of the API token; the variable PROXMOX_TOKEN gives it, too."),
        .text("node", "The node of the cluster; can be left out where there is only one."),
        .text("pool", "The resource pool that the template joins."),
        .bool(
            "insecure_skip_tls_verify", "Whether the server's certificate is not checked, which exposes the secrets."),
        .file("ca_file", "The certificates of the authorities that vouch for the server, in PEM."),
        .text("fingerprint", "The SHA-256 fingerprint of the server's certificate."),
        .duration("task_timeout", "How long a task of the server may take."),
    ]

    private static let template: [Option] = [
        .choice(
            "existing", "What happens to a template of the same name or number.", of: ["refuse", "replace", "version"],
            default: "refuse"),
        .int("keep", "How many versions are kept, the new one included.", default: "all"),
        .text("version_label", "What follows the name of a version.", default: "the time of the run"),
        .choice(
            "delivery", "How the disks reach the node.", of: ["automatic", "upload", "ssh"], default: "automatic"),
        .text("import_storage_pool", "The storage that the disks are uploaded to.", default: "the first that fits"),
    ]

    private static let shell: [Option] = [
        .text("ssh_host", "The address of the node.", default: "the server's"),
        .int("ssh_port", "The port of SSH on the node.", default: "22"),
        .text("ssh_username", "The user that logs in at the node.", default: "root"),
        .secret("ssh_password", "The password of that user."),
        .file("ssh_private_key_file", "The private key to log in with at the node."),
        .bool("ssh_agent_auth", "Whether the keys of the SSH agent are tried."),
        .text(
            "ssh_host_key_fingerprint", "The fingerprint of the node's host key, SHA256:…; without it any key is taken."
        ),
    ]
}
