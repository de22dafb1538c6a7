import Guests
import Scopes

/// Prepares a guest for being frozen, as far as its user may do that without a password.
///
/// Everything is written to the disks, since the machine may have to be booted from them one day. Free memory, which an
/// installer leaves full of old data, is overwritten with zeros: it then takes no space and loads at once.
struct QuiesceGuest: Sendable {
    let reporter: Reporter

    /// - Parameter clearsMemory: Whether free memory is overwritten, which pays right after the installation.
    /// - Returns: Whether the guest answered.
    func run(_ guest: any Guest, clearsMemory: Bool) async -> Bool {
        do {
            try await guest.ensureConnected(timeout: .seconds(5))
            let flush = guest.dialect.flush
            let script = clearsMemory ? flush + "\n" + Self.clearing : flush
            _ = try await guest.run("sh -c \(guest.dialect.quoted(script))", timeout: .seconds(90)) { [reporter] in
                reporter.debug("quiescing the guest: \(printable($0.text))")
            }
            return true
        } catch {
            // A guest that is rebooting writes everything by itself.
            reporter.debug("the guest was not prepared for being frozen: \(error)")
            return false
        }
    }

    /// Fills a file system in memory with zeros until only a reserve is free, and removes it.
    private static let clearing = """
        if [ "$(id -u)" = 0 ]; then as=; elif sudo -n true 2>/dev/null; then as="sudo -n"
        elif doas -n true 2>/dev/null; then as="doas -n"; else exit 0; fi
        free=$(awk '/^MemFree:/ {print int($2 / 1024) - 64}' /proc/meminfo) && [ "$free" -gt 64 ] || exit 0
        folder=$(mktemp -d) && $as mount -t tmpfs -o size="$free"m none "$folder" || exit 0
        $as dd if=/dev/zero of="$folder/zeros" bs=1048576 2>/dev/null
        $as umount "$folder"; rmdir "$folder"
        """
}
