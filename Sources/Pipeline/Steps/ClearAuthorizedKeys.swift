import Guests
import Scopes

/// `ssh_clear_authorized_keys`: takes the build's temporary key out of the guest.
struct ClearAuthorizedKeys: Sendable {
    /// The comment that the key's line ends in.
    let keyName: String
    let reporter: Reporter

    func run(_ guest: any Guest) async throws {
        let pattern = keyName.map { "/\\.*[]^$".contains($0) ? "\\\($0)" : String($0) }.joined()
        let files = ["\"$HOME/.ssh/authorized_keys\"", "/root/.ssh/authorized_keys"]
        try await guest.ensureConnected(timeout: .seconds(60))
        for file in files {
            let expression = guest.dialect.quoted("/ \(pattern)$/d")
            let exit = try await guest.run(
                "test ! -w \(file) || sed -i \(expression) \(file)", timeout: .seconds(60)
            ) {
                [reporter] in reporter.debug("clearing authorized keys: \($0.text)")
            }
            if exit != .code(0) {
                reporter.warn("could not take the temporary key out of \(file) in the guest: \(exit)")
            }
        }
    }
}
