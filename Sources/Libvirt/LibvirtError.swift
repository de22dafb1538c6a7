import CLibvirt
import Foundation

/// A call into libvirt failed.
package struct LibvirtError: Error, Sendable, CustomStringConvertible {
    package var call: String
    package var message: String

    /// The calling thread's last error: read it right after the failure, with no suspension between.
    init(lastErrorIn call: String) {
        self.call = call
        message = virGetLastErrorMessage().map { String(cString: $0) } ?? "no reason given"
    }

    init(_ call: String, because message: String) {
        self.call = call
        self.message = message
    }

    package var description: String { "\(message) (\(call))" }
}

/// libvirt's event loop on a thread of its own, and its errors kept off the terminal. Started once per process.
enum EventLoop {
    static let start: Void = {
        // Its log would go to our terminal; someone who looks for a fault can still name another place. Read when the
        // library is first called, so this comes before everything.
        setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", 0)
        virSetErrorFunc(nil) { _, _ in }
        virInitialize()
        virEventRegisterDefaultImpl()
        // The loop sleeps until something happens; without a timer a handle added from another thread still wakes it.
        let thread = Thread {
            while true { virEventRunDefaultImpl() }
        }
        thread.name = "libvirt-events"
        thread.start()
    }()
}
