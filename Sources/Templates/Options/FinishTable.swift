extension OptionTables {
    /// The block `finish` of a source.
    static let finish: [OptionSpec] =
        options("generalise shrink inspect clear_swap zero_free_space resize_to_minimum clear_hostname", .bool)
        + choice("check", FinishSettings.Check.self) + options("hostname", .string)
        + choices("sbom", FinishSettings.BillFormat.self) + choices("keep", FinishSettings.Part.self)
        + options("remove first_boot_scripts cloud_init_datasources permitted_keys", .strings)
        + options("files file_content authorized_keys", .stringMap) + options("timeout", .duration)
}
