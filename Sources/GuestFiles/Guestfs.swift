package import CGuestfs
import Foundation
import Scopes

/// A libguestfs call that failed.
package struct GuestfsError: Error, CustomStringConvertible {
    /// libguestfs's message, which begins with the name of the call.
    package var text: String
    /// The guest's errno; 0 if there is none.
    package var number: Int32
    package var description: String { text }
}

/// A libguestfs handle: the disks and file systems in a running appliance. Use it only on the appliance's thread.
///
/// Every call throws `GuestfsError`, or `CancellationError` when the task was cancelled before it. Paths are the
/// guest's, absolute, and links in them stay inside the guest.
package final class Guestfs {
    /// libguestfs's functions.
    package let api: ingot_guestfs
    /// libguestfs's handle.
    package let handle: OpaquePointer
    private let console: ApplianceConsole
    let processes: ApplianceProcesses

    init(console: ApplianceConsole, processes: ApplianceProcesses) throws {
        guard let library = ingot_guestfs_library(), let handle = library.pointee.create() else {
            throw GuestfsError(text: "create: libguestfs returned no handle", number: errno)
        }
        api = library.pointee
        self.handle = handle
        self.console = console
        self.processes = processes
        api.set_error_handler(handle, nil, nil)
        // The console outlives the handle: this object owns both.
        _ = api.set_event_callback(
            handle, ApplianceConsole.callback, ApplianceConsole.events, 0, Unmanaged.passUnretained(console).toOpaque())
        processes.watch(handle)
    }

    deinit {
        processes.watch(nil)
        api.close(handle)
    }

    var cacheFolder: String {
        guard let text = api.get_cachedir(handle) else { return "/var/tmp" }
        defer { free(text) }
        return String(cString: text)
    }

    func start(_ disks: [GuestDisk], _ settings: ApplianceSettings, folder: String, isReadOnly: Bool) throws {
        let environment = ProcessInfo.processInfo.environment
        if environment["LIBGUESTFS_BACKEND"] == nil { try done(api.set_backend(handle, "direct")) }
        if !settings.isAccelerated {
            if environment["LIBGUESTFS_BACKEND_SETTINGS"] == nil {
                try done(api.set_backend_setting(handle, "force_tcg", "1"))
            }
            #if arch(x86_64)
                // QEMU's emulated 128-bit compare-exchange makes kernels panic at random.
                try done(api.config(handle, "-cpu", "max,-cx16"))
            #endif
        }
        if let path = settings.searchPath { try done(api.set_path(handle, path)) }
        if let cache = settings.cacheFolder { try done(api.set_cachedir(handle, cache)) }
        try done(api.set_tmpdir(handle, folder))
        // Ctrl-C in the terminal reaches only Ingot, which then shuts the appliance down cleanly.
        try done(api.set_pgroup(handle, 1))
        for disk in disks {
            try disk.format.withCString { format in
                try "besteffort".withCString { discard in
                    var options = guestfs_add_drive_opts_argv()
                    options.readonly = isReadOnly ? 1 : 0
                    options.format = format
                    // Without it trimming does not reach the image.
                    options.discard = discard
                    options.bitmask = 1 << 0 | 1 << 1 | (isReadOnly ? 0 : 1 << 10)
                    try done(api.add_drive_opts_argv(handle, disk.path, &options))
                }
            }
        }
        try done(api.launch(handle))
    }

    /// Shuts the appliance down; all writes are on the disks if this succeeds.
    func shutDown() throws { try done(api.shutdown(handle)) }

    // MARK: Calls

    var lastError: GuestfsError {
        GuestfsError(
            text: api.last_error(handle).map { String(cString: $0) } ?? "libguestfs gives no reason",
            number: api.last_errno(handle))
    }

    /// Makes a call that returns 0 on success.
    package func done(_ status: @autoclosure () -> Int32) throws {
        try Task.checkCancellation()
        if status() == -1 { throw lastError }
    }

    func truth(_ status: @autoclosure () -> Int32) throws -> Bool {
        try Task.checkCancellation()
        let answer = status()
        if answer == -1 { throw lastError }
        return answer != 0
    }

    func number(_ value: @autoclosure () -> Int64) throws -> Int64 {
        try Task.checkCancellation()
        let answer = value()
        if answer == -1 { throw lastError }
        return answer
    }

    func text(_ value: @autoclosure () -> UnsafeMutablePointer<CChar>?) throws -> String {
        try Task.checkCancellation()
        guard let pointer = value() else { throw lastError }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    func texts(_ value: @autoclosure () -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) throws -> [String] {
        try Task.checkCancellation()
        guard let list = value() else { throw lastError }
        defer { free(list) }
        var result: [String] = []
        var index = 0
        while let item = list[index] {
            result.append(String(cString: item))
            free(item)
            index += 1
        }
        return result
    }

    /// A hash table of libguestfs: alternating keys and values.
    func pairs(
        _ value: @autoclosure () -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) throws -> [(key: String, value: String)] {
        let flat = try texts(value())
        return stride(from: 0, to: flat.count - flat.count % 2, by: 2).map { (flat[$0], flat[$0 + 1]) }
    }

    /// Reads a structure of libguestfs in `body` and frees it afterwards.
    func structure<Structure, Value>(
        _ value: @autoclosure () -> UnsafeMutablePointer<Structure>?,
        free release: (UnsafeMutablePointer<Structure>?) -> Void, _ body: (Structure) -> Value
    ) throws -> Value {
        try Task.checkCancellation()
        guard let pointer = value() else { throw lastError }
        defer { release(pointer) }
        return body(pointer.pointee)
    }

    /// Passes strings as a null-terminated array of C strings.
    package func withTexts<Value>(
        _ values: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) throws -> Value
    ) rethrows -> Value {
        let copies = values.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        return try copies.withUnsafeBufferPointer { try body($0.baseAddress) }
    }
}
