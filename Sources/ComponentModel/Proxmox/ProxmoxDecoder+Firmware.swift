import ProxmoxConfiguration

extension ProxmoxDecoder {
    /// BIOS or UEFI, its variables, and the TPM.
    mutating func firmware() {
        let given = source.machine.firmware
        var isEFI = false
        if case .efi = given { isEFI = true }
        let bios = reader.choice("bios").flatMap(MachineConfiguration.BIOS.init)
        settings.machine.bios = bios ?? (isEFI ? .ovmf : .seabios)
        if let bios, bios != (isEFI ? .ovmf : .seabios) {
            reader.warning(
                "other-firmware", "The machine was built with \(isEFI ? "UEFI" : "a BIOS"), not with \(bios.rawValue)",
                "What was installed by one firmware seldom boots by the other.", at: "bios")
        }
        settings.machine.efiDisk =
            reader.inBlocks("efi_config") { block, _ in
                let kind = block.choice("efi_type").flatMap(MachineConfiguration.EFIDisk.Kind.init)
                var disk = MachineConfiguration.EFIDisk(
                    kind: kind ?? .large, hasEnrolledKeys: block.bool("pre_enrolled_keys"))
                disk.storage = block.text("efi_storage_pool")
                disk.format = block.choice("efi_format").flatMap(MachineConfiguration.DiskFormat.init)
                return (disk, kind)
            }.first.map { disk, kind in
                settings.efiKind = kind
                return disk
            } ?? (isEFI && settings.machine.bios == .ovmf ? MachineConfiguration.EFIDisk() : nil)
        tpm()
    }

    private mutating func tpm() {
        if isArchive {
            guard reader.isGiven("tpm_config") || source.machine.tpm != nil else { return }
            reader.warning(
                "no-tpm-in-archive", "An archive cannot contain a TPM",
                "After the restore add one: qm set VMID --tpmstate0 STORAGE:1,version=v2.0", at: "tpm_config")
            return
        }
        let usual: MachineConfiguration.TPMState.Version = source.machine.tpm?.version == "1.2" ? .v1 : .v2
        settings.machine.tpm =
            reader.inBlocks("tpm_config") { block, _ in
                MachineConfiguration.TPMState(
                    version: block.choice("tpm_version").flatMap(MachineConfiguration.TPMState.Version.init) ?? usual,
                    storage: block.text("tpm_storage_pool"))
            }.first ?? source.machine.tpm.map { _ in MachineConfiguration.TPMState(version: usual) }
    }
}
