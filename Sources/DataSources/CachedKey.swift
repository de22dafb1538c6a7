import Foundation
import HCL
import SSH
import Scopes
import Templates

/// `sshkey`: a key that is made once and kept in the cache directory.
extension LocalDataSources {
    func sshKey(_ name: String, _ type: String) async throws -> DataSourceAnswer {
        let tag = String(name.map { $0 == "/" || $0 == "\0" ? "_" : $0 })
        let path = "\(cacheDirectory)/ssh_private_key_\(tag)_\(type).pem"
        let operation = "keep the key \(name) in \(path)"
        var status = stat()
        if stat(path, &status) != 0 {
            guard errno == ENOENT else {
                throw BuildError(operation: operation, underlying: SystemFailure(code: errno))
            }
            try await make(type, path, operation)
        }
        do {
            let publicKey = try SSHKey.load(path).publicKey(comment: tag)
            return DataSourceAnswer(["private_key_path": .string(path), "public_key": .string(publicKey)])
        } catch let error as BuildError {
            throw BuildError(
                operation: "use the key \(path)", hint: "Remove the file, and a new key is made.",
                underlying: error.underlying)
        }
    }

    private func make(_ type: String, _ path: String, _ operation: String) async throws {
        let pair = try TemporaryKeyPair.generate(type: type, bits: nil, comment: "")
        try Task.checkCancellation()
        do {
            try FileManager.default.createDirectory(atPath: cacheDirectory, withIntermediateDirectories: true)
            try writeWhole(pair.privateKey.reveal(), to: path, mode: 0o600, replacing: false)
        } catch let error as SystemFailure where error.code == EEXIST {
            // Another run was quicker; its key is the one.
        } catch {
            throw BuildError(
                operation: operation, hint: "PACKER_CACHE_DIR names another folder.", underlying: error)
        }
    }
}
