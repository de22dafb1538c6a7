extension QemuSource {
    /// What `source "qemu"` takes.
    package static let options: [Option] =
        own + disks + machine + screen + qmp + BootMedium.options + HTTPSettings.options + SeedSettings.options
        + BootSettings.options + ShutdownSettings.options + CommunicatorSettings.options

    private static let own: [Option] = [
        .text("vm_name", "The name of the machine and of its disk image.", default: "packer-NAME"),
        .text(
            "output_directory",
            "The folder that the image is written to; it must be missing or empty, unless -force is given.",
            default: "output-NAME"),
        .choice(
            "format", "The format of the image; proxmox makes a backup archive that Proxmox VE restores as a template.",
            of: ["qcow2", "raw", "proxmox"], default: "qcow2"),
        .text("libvirt_uri", "The libvirt connection to build on.", default: "an embedded driver of the build's own"),
        .duration(
            "installer_dialog_timeout",
            "How long the Debian installer may wait at a dialog before the build fails; \"0s\" waits on.",
            default: "3m, or 0s without a boot command"
        ).outsideKey,
        .bool("checkpoint", "Whether checkpoints are kept of the source's builds.", default: "true"),
        .duration(
            "installer_dialog_timeout",
            "How long the installer may wait at a dialog without another sign of life; \"0s\" waits on.",
            default: "3m with a boot command"),
        .block(
            "finish",
            "What is done to the image once the machine is off; an empty block does everything that is usual.",
            FinishSettings.options),
        .block(
            "proxmox", "The template of Proxmox VE that format = \"proxmox\" makes.", ProxmoxArchiveSettings.options),
        .bool("run_once", "An old option of Packer's plugin.").inert,
    ]

    private static let disks: [Option] = [
        .size("disk_size", "The size of the disk, such as \"20G\"; a number counts MiB.", default: "40960M"),
        .sizes("disk_additional_size", "The sizes of further disks, such as \"10G\"; a number counts bytes."),
        .bool("disk_image", "Whether iso_url names a disk image that becomes the first disk, instead of an installer."),
        .bool(
            "use_backing_file",
            "Whether the image only holds what differs from the disk image it starts from; needs disk_image."),
        .bool("skip_resize_disk", "Whether the disk image keeps its size instead of being resized to disk_size."),
        .bool("skip_compaction", "Whether the finished disk keeps its free blocks."),
        .bool("disk_compression", "Whether the finished qcow2 image is compressed."),
        .choice(
            "disk_interface", "The bus that the disks are attached to.",
            of: ["ide", "sata", "scsi", "sd", "virtio", "virtio-scsi"], default: "virtio"),
        .choice(
            "disk_cache", "How writes to the disks are cached.",
            of: ["writethrough", "writeback", "none", "unsafe", "directsync"], default: "whatever is fastest"),
        .choice(
            "disk_discard", "Whether blocks that the guest discards are ignored or unmapped.", of: ["ignore", "unmap"],
            default: "ignore"),
        .choice(
            "disk_detect_zeroes", "Whether writes of zeros are detected, and unmapped.", of: ["unmap", "on", "off"],
            default: "off"),
        .text("cdrom_interface", "The bus that CD drives are attached to.", default: "ide or what the machine has"),
        .block(
            "qemu_img_args", "Further arguments of qemu-img.",
            [
                .list("create", "Arguments of qemu-img create, before the path and the size."),
                .list("convert", "Arguments of qemu-img convert, which writes the finished image."),
                .list("resize", "Arguments of qemu-img resize, before the path."),
            ]),
    ]

    private static let machine: [Option] = [
        .choice(
            "accelerator", "What runs the guest's instructions.",
            of: ["none", "kvm", "tcg", "xen", "hax", "hvf", "whpx"], default: "the fastest that works"),
        .text("machine_type", "The machine that QEMU emulates, such as q35.", default: "pc"),
        .text("cpu_model", "The model of the processor, such as host.", default: "QEMU's default"),
        .int("cpus", "The number of virtual processors.", default: "1"),
        .int("sockets", "The number of processor sockets."),
        .int("cores", "The number of cores in each socket."),
        .int("threads", "The number of threads of each core."),
        .int("memory", "The memory in MiB.", default: "512"),
        .text("net_device", "The model of the network card.", default: "virtio-net"),
        .text(
            "net_bridge", "The bridge of the host that the machine is connected to, instead of user-mode networking."),
        .int(
            "host_port_min", "The first port of this host that may lead to the guest's SSH or WinRM.", default: "2222"),
        .int("host_port_max", "The end of the range of these ports, which is not used itself.", default: "4444"),
        .bool(
            "skip_nat_mapping", "Whether the port of the guest is used on this host as well, instead of a free one."),
        .rows("qemuargs", "Further arguments of QEMU, as rows of a switch and its value.")
            .late("HTTPIP", "HTTPPort", "HTTPDir", "OutputDir", "Name", "SSHHostPort"),
        .text("qemu_binary", "The program that runs the machine.", default: "qemu-system-x86_64"),
        .file("firmware", "A file of firmware, instead of QEMU's BIOS."),
        .bool("use_pflash", "Whether the file of firmware is attached as flash memory, instead of as a BIOS."),
        .bool("efi_boot", "Whether the machine boots by UEFI; implied by efi_firmware_code and efi_firmware_vars."),
        .file("efi_firmware_code", "The file of the UEFI code.", default: "chosen by libvirt"),
        .file(
            "efi_firmware_vars", "The file that the UEFI variables start from; the build works on a copy.",
            default: "chosen by libvirt"),
        .bool("efi_drop_efivars", "Whether the UEFI variables are left out of the artifact."),
        .bool("vtpm", "Whether the machine has a virtual TPM."),
        .bool("use_tpm1", "Whether the TPM has version 1.2 instead of 2.0."),
        .text("tpm_device_type", "The model of the TPM, such as tpm-crb.", default: "tpm-tis"),
        .int("ssh_host_port_min", "The first port of this host that may lead to the guest's SSH.")
            .renamed(to: "host_port_min"),
        .int("ssh_host_port_max", "The end of the range of these ports.").renamed(to: "host_port_max"),
        .bool("ssh_skip_nat_mapping", "Whether the guest's SSH port is used on this host as well.")
            .gone("Write skip_nat_mapping instead."),
    ]

    private static let screen: [Option] = [
        .bool("headless", "Whether no window is opened."),
        .text("display", "The display of QEMU, such as gtk, where a window is opened.", default: "gtk"),
        .bool("use_default_display", "Whether QEMU chooses the display."),
        .text("vga", "The model of the graphics card.", default: "QEMU's default"),
        .text("vnc_bind_address", "The address at which the screen can be watched.", default: "a UNIX socket"),
        .int("vnc_port_min", "The first port that VNC may use, at least 5900.", default: "5900"),
        .int("vnc_port_max", "The end of the range of these ports, which is not used itself.", default: "6000"),
        .bool("vnc_use_password", "Whether VNC asks for a password."),
        .secret("vnc_password", "The password of VNC, of which 8 characters count; without one it is random."),
        .bool("disable_vnc", "Whether the machine has no VNC; no boot command can be typed then."),
    ]

    private static let qmp: [Option] = [
        // libvirt always has a monitor, so there is nothing to enable.
        .bool("qmp_enable", "Whether QEMU's monitor can be used.").inert,
        .text("qmp_socket_path", "The socket of QEMU's monitor.").notYet,
    ]
}
