import Foundation
import ProxmoxConfiguration
import Scopes
import Synchronization

/// How far the making of something came.
enum MakingState: Sendable, Equatable {
    /// Asked for, without an answer: it may exist.
    case asked
    /// Certainly not made by us.
    case refused
    case started(UPID)
    case made
}

extension BuildError {
    /// Whether what was asked for certainly did not begin.
    var saysNothingWasDone: Bool {
        switch underlying {
        case let refusal as APIRefusal: !refusal.isPassing
        case let failure as ConnectionFailure: failure.stage == .connecting
        default: false
        }
    }
}

/// A machine that we asked the server to create.
final class CreatedMachine: Sendable {
    let vmid: Int
    let node: String
    /// Ours alone, so it proves whose machine has the number.
    let uuid: UUID?
    let state = Mutex(MakingState.asked)
    /// A later task on it that has not ended well.
    let work = Mutex<UPID?>(nil)

    init(vmid: Int, node: String, uuid: UUID?) {
        self.vmid = vmid
        self.node = node
        self.uuid = uuid
    }
}

/// A file that we sent to a storage; its name is ours alone.
final class UploadedVolume: Sendable {
    let id: String
    let storage: String
    let node: String
    let state = Mutex(MakingState.asked)

    init(id: String, storage: String, node: String) {
        self.id = id
        self.storage = storage
        self.node = node
    }
}

extension ProxmoxClient {
    /// Removes a machine if it is ours and there, and waits until it is gone.
    ///
    /// - Throws: `BuildError` that says how to remove it by hand.
    func remove(_ machine: CreatedMachine) async throws {
        let (vmid, node) = (machine.vmid, machine.node)
        let state = machine.state.withLock { $0 }
        guard state != .refused else { return }
        let uuid = machine.uuid?.uuidString.lowercased()
        let hint = "Remove it on node \(node) if it is there: `qm unlock \(vmid); qm destroy \(vmid) --purge`."
        try await undo("remove machine \(vmid)", hint: hint) { client in
            if case .started(let task) = state { try await client.end(task) }
            if let task = machine.work.withLock({ $0 }) { try await client.end(task) }
            guard let options = try await client.options(of: vmid, on: node) else { return true }
            let isOurs = state == .made || options.field("uuid", of: "smbios1")?.lowercased() == uuid
            if !isOurs {
                // While a machine is being created, its configuration contains only the lock.
                if options.lock == "create", options["smbios1"] == nil { return false }
                return true
            }
            let task = try await client.startRemoval(of: vmid, on: node)
            try await client.wait(for: task, to: "remove machine \(vmid)")
            return false
        }
    }

    /// Removes an uploaded file if it is there, and waits until it is gone.
    ///
    /// - Throws: `BuildError` that says how to remove it by hand.
    func remove(_ file: UploadedVolume) async throws {
        let state = file.state.withLock { $0 }
        guard state != .refused else { return }
        let hint = "Remove it on node \(file.node) if it is there: `pvesm free \(file.id)`."
        try await undo("remove the uploaded file \(file.id)", hint: hint) { client in
            switch state {
            case .started(let task): try await client.end(task)
            case .asked:
                // The answer was lost: a task of ours that still stores a file may be this one's.
                for task in try await client.runningTasks(on: file.node, type: "imgcopy")
                where task.user == client.userName {
                    if try await client.state(of: task) == .running { return false }
                }
            case .refused, .made: break
            }
            let volumes = try await client.volumes(on: file.node, storage: file.storage, content: "import")
            guard volumes.contains(file.id) else { return true }
            if let task = try await client.removeVolume(file.id, on: file.node) {
                try await client.wait(for: task, to: "remove \(file.id)")
            }
            return false
        }
    }

    /// The user as tasks name it.
    var userName: String {
        switch server.credentials {
        case .token(let id, _): id
        case .password(let user, _): user
        }
    }

    /// Makes sure that a task of ours has ended, as well as can be seen.
    private func end(_ task: UPID) async throws {
        do {
            guard try await state(of: task) == .running else { return }
            try await stop(task)
        } catch let error where !(error is CancellationError) {
            return  // Whether it matters shows in what follows.
        }
        _ = try await poll(
            "waiting until the task \(task.type) has stopped", every: server.pace.pollInterval, limit: nil
        ) {
            try await self.state(of: task) == .running ? nil : true
        }
    }

    /// Calls `body` until it says that nothing is left; after three failures, or at the limit, it says what remains.
    private func undo(
        _ operation: String, hint: String, _ body: @escaping @Sendable (ProxmoxClient) async throws -> Bool
    ) async throws {
        do {
            try await withDeadline(server.pace.cleanupLimit, operation) {
                var failures = 0
                while true {
                    do {
                        if try await body(self) { return }
                    } catch let error where !(error is CancellationError) {
                        failures += 1
                        if failures >= 3 { throw error }
                        try await Task.sleep(for: self.server.pace.retryDelay)
                    }
                    try await Task.sleep(for: self.server.pace.pollInterval)
                }
            }
        } catch let error as BuildError {
            throw BuildError(
                operation: operation, hint: [error.hint, hint].compactMap { $0 }.joined(separator: "\n  "),
                underlying: error.underlying)
        } catch {
            throw BuildError(operation: operation, hint: hint, underlying: error)
        }
    }
}
