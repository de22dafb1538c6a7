import ComponentModel
import DiskImages
import Foundation
import ProxmoxConfiguration
import Scopes
import Templates

extension ProxmoxMachineSettings {
    /// The machine, with the store of EFI variables as the build left them.
    ///
    /// - Parameter variables: The file; without one there is nothing to take over.
    /// - Throws: `BuildError` for a store that Proxmox VE has no place for.
    func machine(withVariables variables: String?, _ operation: String) throws -> MachineConfiguration {
        var complete = machine
        guard let variables, complete.efiDisk != nil else { return complete }
        let format = try ImageFormat(ofFile: variables)
        guard format == .raw else {
            throw BuildError(
                operation, because: "the UEFI variables in \(variables) are a \(format.rawValue) image, not raw",
                hint: "Name a raw efi_firmware_code and efi_firmware_vars in the source.")
        }
        // Sizes of OVMF's stores, and of the disks that Proxmox VE makes for them.
        let kinds: [UInt64: MachineConfiguration.EFIDisk.Kind] = [131_072: .small, 540_672: .large]
        let size = try RawDisk(variables).size
        guard let kind = kinds[size] else {
            throw BuildError(
                operation,
                because: "the UEFI variables in \(variables) have \(size) bytes; Proxmox VE knows 131072 (efi_type 2m) "
                    + "and 540672 (4m)",
                hint: "Set efi_firmware_code and efi_firmware_vars to the 4 MiB build of OVMF, OVMF_CODE_4M.fd and "
                    + "OVMF_VARS_4M.fd.")
        }
        if let efiKind, efiKind != kind {
            throw BuildError(
                operation,
                because: "the UEFI variables in \(variables) are of type \(kind.rawValue), and efi_type is "
                    + efiKind.rawValue, hint: "Leave efi_type out; it follows the firmware of the build.")
        }
        complete.efiDisk?.kind = kind
        return complete
    }
}
