extension FinishSettings {
    /// The block `finish` of a source.
    package static let options: [Option] = [
        .bool(
            "generalise",
            "Whether what belongs to one machine is removed: its identity, host keys, leases, logs, caches and the like.",
            default: "true"),
        .choices("keep", "The parts of generalising that are left out.", of: Part.self),
        .list("remove", "Further paths or patterns of the guest to remove."),
        .bool("shrink", "Whether the space of free blocks is given back.", default: "true"),
        .bool(
            "zero_free_space", "Whether free space is filled with zeros where it cannot be trimmed.", default: "true"),
        .bool("clear_swap", "Whether swap space is emptied.", default: "true"),
        .bool("resize_to_minimum", "Whether disks end where the last file system's data ends."),
        .bool("inspect", "Whether the operating system and its packages are listed in a report.", default: "true"),
        .choices(
            "sbom", "The formats of the bill of materials that is written beside the image.", of: BillFormat.self,
            default: "both with inspect"),
        .choice(
            "check", "Whether leftover secrets and keys are ignored, a warning or an error.", of: Check.self,
            default: "warn"),
        .list("permitted_keys", "Public keys that check accepts in the image."),
        .text("hostname", "The host name in the image."),
        .bool("clear_hostname", "Whether the image has no host name of its own."),
        .fileMap("files", "Files of this host to copy into the image, by their paths in the guest."),
        .map("file_content", "Texts to write into the image, by their paths in the guest."),
        .files("first_boot_scripts", "Scripts of this host that the machine runs once, at its first start."),
        .map("authorized_keys", "Public keys that may log in, by the users of the guest."),
        .list("cloud_init_datasources", "Where cloud-init looks for its data, such as NoCloud."),
        .duration("timeout", "How long finishing may take.", default: "1h"),
    ]
}
