/// A state of a guest, seen on its screen, from which it does not recover by itself.
package enum GuestTrouble: Sendable, Equatable {
    /// The kernel panicked, with its message.
    case panicked(String)
    /// The guest waits for a person, with a description of where.
    case stopped(String)
}

/// Prompts at which boot programs and the early user space of common guests stop, by the beginning of the last line.
private let prompts = [
    ("No bootable device", "the firmware found nothing to boot from"),
    ("grub rescue>", "the boot loader found no system (grub rescue)"),
    ("grub>", "the boot loader stopped at its command line"),
    ("(initramfs)", "the guest did not find its root file system and stopped in its initramfs shell"),
    ("dracut:/#", "the guest stopped in dracut's emergency shell"),
    ("Give root password for maintenance", "the guest is in systemd's emergency mode"),
    ("Press Enter for maintenance", "the guest is in systemd's emergency mode"),
]

/// Looks for trouble on a text screen.
package func trouble(on lines: [String]) -> GuestTrouble? {
    let panic = "Kernel panic - not syncing: "
    for line in lines {
        if let start = line.firstRange(of: panic)?.upperBound, !line.contains("end Kernel panic") {
            return .panicked(String(line[start...]))
        }
    }
    guard let last = lines.last(where: { !$0.allSatisfy(\.isWhitespace) }) else { return nil }
    return prompts.first { last.hasPrefix($0.0) }.map { .stopped($0.1) }
}
