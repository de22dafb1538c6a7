package import RemoteFramebuffer
package import Scopes

/// A virtual machine that was started.
package protocol Machine: Sendable {
    var name: String { get }

    /// Runs `body`; throws as soon as the machine goes away, so that nothing waits for a dead guest.
    ///
    /// - Throws: `MachineStopped`, or what `body` throws.
    func whileRunning<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value

    /// - Throws: `TimedOut`, `MachineStopped` for a machine that hangs for good.
    func waitUntilStopped(timeout: Duration?) async throws

    var isStopped: Bool { get }

    /// Ends every wait for this machine, whose guest is found to be dead although the machine still runs.
    func giveUp(_ reason: MachineStopped.Reason)

    func pressPowerButton() async throws

    /// Cuts the power. A machine that is gone already is fine.
    func destroy() async throws

    /// Its process on this host; nil where it is gone or unknown.
    var pid: Int32? { get }

    /// Connects to its screen and keyboard.
    ///
    /// - Throws: `BuildError` where nothing answers within `timeout`.
    func connectScreen(
        at address: VNCAddress, password: Sensitive<String>?, timeout: Duration
    ) async throws -> any ScreenConnection

    /// Forwards a port of this host's loopback to the guest.
    ///
    /// - Throws: Also where the port is taken.
    func addPortForward(hostPort: Int, guestPort: Int) async throws

    /// The hardware address of its network card, such as `52:54:00:12:34:56`; nil without one.
    var hardwareAddress: String? { get async throws }

    /// Freezes disks, and with `memory` the memory too, at one moment. The machine goes on, in the overlays.
    ///
    /// - Parameters:
    ///   - memory: Where the memory goes; must not exist.
    ///   - disks: What the drives use now, and the new qcow2 file for what is written from now on; must not exist.
    ///   - copying: Small files that belong to the same moment: UEFI variables, the TPM's state.
    func freeze(
        memory: String?, disks: [(disk: String, overlay: String, format: String?)],
        copying: [(from: String, to: String)]
    ) async throws

    /// Whether a drive of the machine uses a file, itself and not as a layer below.
    func writes(to file: String) async throws -> Bool
}

extension Machine {
    package func connectScreen(
        at address: VNCAddress, password: Sensitive<String>?, timeout: Duration
    ) async throws -> any ScreenConnection {
        try await VNCConnection.connect(to: address, password: password, deadline: timeout)
    }
}

/// Where machines run.
package protocol MachineHost: Sendable {
    /// The folder of this process for what belongs to its running machines; nil where another program runs them, so that
    /// their memory and TPM cannot be kept.
    var stateFolder: String? { get }

    /// Versions as people write them: "9.0.0".
    func versions() async throws -> (libvirt: String, qemu: String)

    /// Where a machine's sockets can go: short, and private to this user.
    func socketPath(for name: String) -> String

    /// The folder with the permanent state of a machine's TPM while it runs; nil where that is not known.
    ///
    /// - Parameter version: As in the machine's description: `2.0` or `1.2`.
    func tpmState(uuid: String, version: String) -> String?

    /// What must be the same, by name, for the memory of this machine to be restored.
    func memoryRequirements(of machine: MachineDescription) async throws -> [String: String]

    /// Boots a machine.
    func start(_ machine: MachineDescription) async throws -> any Machine

    /// Starts a machine from the memory of one that was frozen.
    ///
    /// - Parameter memory: A file that no one else needs; it may be changed.
    func restore(_ machine: MachineDescription, memory: String) async throws -> any Machine

    /// Ends the connection to the host.
    ///
    /// - Parameter kept: nil: no machine goes on after this process. Else machines that still run do, and these files belong
    ///   to them: a later run removes them once the machines are gone.
    func close(keeping kept: [String]?) async
}
