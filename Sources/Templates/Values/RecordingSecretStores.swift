import HCL
import Synchronization

/// Remembers every secret that a service gave, so that it is blanked out wherever it turns up: not every value that is made
/// of it reaches a variable or a local.
final class RecordingSecretStores: SecretStores {
    private let stores: any SecretStores
    private let given = Mutex((secrets: SecretCollection(), count: 0))

    init(_ stores: any SecretStores) { self.stores = stores }

    var secrets: SecretCollection { given.withLock { $0.secrets } }

    /// How many were given.
    var count: Int { given.withLock { $0.count } }

    func secret(_ query: SecretQuery) throws -> String {
        let text = try stores.secret(query)
        given.withLock {
            $0.secrets.insert(text)
            $0.count += 1
        }
        return text
    }
}
