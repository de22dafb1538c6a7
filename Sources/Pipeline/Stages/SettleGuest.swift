import Guests
import Scopes

/// Prepares a guest for being frozen, by what its user may do without a password.
///
/// Everything goes to the disks, for a machine that has to be booted from them one day. And memory that an installer has
/// left full of what nobody needs any more is overwritten by zeros: it then takes no room, and no time to be loaded.
struct SettleGuest: Sendable {
    let reporter: Reporter

    /// - Parameter clearsMemory: Whether free memory is worth the while: right after the installation.
    func run(_ guest: any Guest, clearsMemory: Bool) async {
        do {
            try await guest.ensureConnected(timeout: .seconds(5))
            let flush = guest.dialect.flush
            let script = clearsMemory ? flush + "\n" + Self.clearing : flush
            _ = try await guest.run("sh -c \(guest.dialect.quoted(script))", timeout: .seconds(90)) { [reporter] in
                reporter.debug("settling the guest: \(printable($0.text))")
            }
        } catch {
            // A guest in the middle of a reboot has written everything, or will.
            reporter.debug("the guest was not prepared for being frozen: \(error)")
        }
    }

    /// A file system in memory takes what is free, but for a reserve, and gives it back.
    private static let clearing = """
        if [ "$(id -u)" = 0 ]; then as=; elif sudo -n true 2>/dev/null; then as="sudo -n"
        elif doas -n true 2>/dev/null; then as="doas -n"; else exit 0; fi
        free=$(awk '/^MemFree:/ {print int($2 / 1024) - 64}' /proc/meminfo) && [ "$free" -gt 64 ] || exit 0
        folder=$(mktemp -d) && $as mount -t tmpfs -o size="$free"m none "$folder" || exit 0
        $as dd if=/dev/zero of="$folder/zeros" bs=1048576 2>/dev/null
        $as umount "$folder"; rmdir "$folder"
        """
}
