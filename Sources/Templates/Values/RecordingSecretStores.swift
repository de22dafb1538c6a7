import HCL
import Synchronization

/// Remembers every secret that a service gave, so that it is blanked out wherever it turns up: not every value that is made
/// of it reaches a variable or a local.
final class RecordingSecretStores: SecretStores {
    private let stores: any SecretStores
    private let given = Mutex(SecretCollection())

    init(_ stores: any SecretStores) { self.stores = stores }

    var secrets: SecretCollection { given.withLock { $0 } }

    func secret(_ query: SecretQuery) throws -> String {
        let text = try stores.secret(query)
        given.withLock { $0.insert(text) }
        return text
    }
}
