import CGuestfs
import Foundation
import Scopes
import Synchronization

/// Why libguestfs cannot be loaded; nil if it can.
package func libguestfsProblem() -> String? {
    guard ingot_guestfs_library() == nil else { return nil }
    return ingot_guestfs_problem().map { String(cString: $0) } ?? "it cannot be loaded"
}

/// libguestfs's appliance with a machine's disks attached. Its calls block, so they run on a thread of their own.
package actor Appliance {
    private nonisolated let executor: ThreadExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private nonisolated let console = ApplianceConsole()
    private nonisolated let processes: ApplianceProcesses
    private let settings: ApplianceSettings
    private var guest: Guestfs?

    private init(_ settings: ApplianceSettings) throws {
        self.settings = settings
        let parent = settings.temporaryFolder ?? ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        processes = try ApplianceProcesses(parent: parent)
        executor = ThreadExecutor(name: "libguestfs")
    }

    /// Starts an appliance, runs `body`, and shuts the appliance down; all writes are on the disks then.
    ///
    /// - Parameter isReadOnly: Whether the disks stay as they are and writes are discarded.
    /// - Parameter onProgress: The progress of a long call, from 0 to 1.
    /// - Throws: `BuildError` with what to do, `TimedOut`, `CancellationError` once the appliance is gone.
    package static func with<Value: Sendable>(
        _ disks: [GuestDisk], _ settings: ApplianceSettings, isReadOnly: Bool = false,
        onProgress: @escaping @Sendable (Double) -> Void = { _ in },
        _ body: @escaping @Sendable (Guestfs) throws -> Value
    ) async throws -> Value {
        try await withDeadline(settings.limit, "working on the disk with libguestfs") {
            do {
                return try await attempt(disks, settings, isReadOnly, onProgress, body)
            } catch is KernelPanic {
                // Emulated CPUs sometimes panic at the start, before the disks are touched.
                return try await attempting(
                    "start libguestfs's appliance", hint: "Run libguestfs-test-tool to see the kernel's messages."
                ) { try await attempt(disks, settings, isReadOnly, onProgress, body) }
            }
        }
    }

    /// The appliance's kernel panicked while starting.
    private struct KernelPanic: Error, CustomStringConvertible {
        var description: String { "the kernel of libguestfs's appliance panicked" }
    }

    private static func attempt<Value: Sendable>(
        _ disks: [GuestDisk], _ settings: ApplianceSettings, _ isReadOnly: Bool,
        _ onProgress: @escaping @Sendable (Double) -> Void, _ body: @escaping @Sendable (Guestfs) throws -> Value
    ) async throws -> Value {
        try Task.checkCancellation()
        let appliance = try Appliance(settings)
        appliance.console.onProgress(onProgress)
        let result: Result<Value, any Error>
        do {
            try await appliance.start(disks, isReadOnly)
            let value = try await appliance.interruptible { try await appliance.run(body) }
            result = .success(value)
        } catch {
            result = .failure(error)
        }
        await appliance.close()
        if Task.isCancelled { throw CancellationError() }
        return try result.get()
    }

    /// Held while an appliance of this process is starting.
    private static let hasStart = Mutex(false)

    /// Starts the appliance once no other one of this process is starting.
    private nonisolated func start(_ disks: [GuestDisk], _ isReadOnly: Bool) async throws {
        func takesTurn() -> Bool {
            Self.hasStart.withLock { isTaken in
                defer { isTaken = true }
                return !isTaken
            }
        }
        while !takesTurn() { try await Task.sleep(for: .milliseconds(100)) }
        defer {
            processes.endStart()
            Self.hasStart.withLock { $0 = false }
        }
        try await withDeadline(settings.startLimit, "starting libguestfs's appliance") {
            try await self.interruptible { try await self.launch(disks, isReadOnly) }
        }
    }

    /// Runs blocking calls; cancellation kills the appliance, which makes them fail.
    private nonisolated func interruptible<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withTaskCancellationHandler {
            do {
                let value = try await body()
                try Task.checkCancellation()
                return value
            } catch {
                try Task.checkCancellation()
                throw error
            }
        } onCancel: {
            processes.interrupt()
        }
    }

    private func launch(_ disks: [GuestDisk], _ isReadOnly: Bool) throws {
        let operation = "open \(disks.map(\.path).joined(separator: ", ")) with libguestfs"
        if let problem = libguestfsProblem() {
            throw BuildError(
                operation, because: problem,
                hint: "Install libguestfs: apt-get install libguestfs0, or dnf install libguestfs.")
        }
        for disk in disks where access(disk.path, isReadOnly ? R_OK : R_OK | W_OK) != 0 {
            throw BuildError(operation, because: "\(disk.path): \(String(cString: strerror(errno)))")
        }
        let guest = try Guestfs(console: console, processes: processes)
        self.guest = guest
        do {
            try guest.start(disks, settings, folder: processes.folder, isReadOnly: isReadOnly)
        } catch let error as GuestfsError {
            if console.text.contains("Kernel panic") { throw KernelPanic() }
            let trouble = ApplianceTrouble(
                message: error.text, console: console.text,
                host: .current(cacheFolder: guest.cacheFolder, temporaryFolder: processes.folder))
            throw BuildError(operation, because: trouble.reason, hint: trouble.hint)
        }
    }

    private func run<Value: Sendable>(_ body: @Sendable (Guestfs) throws -> Value) throws -> Value {
        guard let guest else { throw Reason(text: "the appliance is not running") }
        let value = try body(guest)
        do {
            try guest.shutDown()
        } catch let error as GuestfsError {
            // All writes are on the disks only if the shutdown succeeds.
            throw BuildError(
                operation: "write the changes to the disk", hint: "Is there enough free space for the disk's file?",
                underlying: error)
        }
        return value
    }

    private func close() {
        guest = nil
        processes.finish()
        executor.stop()
    }
}
