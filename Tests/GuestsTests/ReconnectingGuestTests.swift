import Guests
import GuestsTestSupport
import Scopes
import Synchronization
import Testing

@Suite("a guest that is connected again")
struct ReconnectingGuestTests {
    /// Gives out connections and counts them.
    private final class Connections: Sendable {
        let made = Mutex<[FakeGuest]>([])
        let gate = Mutex<Task<Void, any Error>?>(nil)
        func make() async throws -> FakeGuest {
            try await gate.withLock { $0 }?.value
            let guest = FakeGuest()
            made.withLock { $0.append(guest) }
            return guest
        }
        var count: Int { made.withLock { $0.count } }
    }

    @Test("a connection that works is used again")
    func alive() async throws {
        let first = FakeGuest()
        let guest = ReconnectingGuest(first) { _, _ in throw GuestError.other("not needed") }
        try await guest.ensureConnected(timeout: .seconds(1))
        #expect(try await guest.run("true") { _ in } == .code(0))
        #expect(first.commands == ["true"])
    }

    @Test("calls over a lost connection fail, and go over a new one after the guest is connected again")
    func reconnection() async throws {
        let (first, connections) = (FakeGuest(), Connections())
        let previous = Mutex<(any GuestConnection)?>(nil)
        let guest = ReconnectingGuest(first) { lost, _ in
            previous.withLock { $0 = lost }
            return try await connections.make()
        }
        first.cut()
        await #expect(throws: GuestError.self) { try await guest.run("one") { _ in } }
        try await guest.ensureConnected(timeout: .seconds(1))
        #expect(try await guest.run("two") { _ in } == .code(0))
        #expect(connections.made.withLock { $0.map(\.commands) } == [["two"]])
        #expect(previous.withLock { $0 as? FakeGuest } === first)
        #expect(first.calls(.close).count == 1)
    }

    @Test("two callers after a loss share one new connection")
    func sharedReconnection() async throws {
        let (first, connections) = (FakeGuest(), Connections())
        let guest = ReconnectingGuest(first) { _, _ in try await connections.make() }
        first.cut()
        async let one: Void = guest.ensureConnected(timeout: .seconds(20))
        async let other: Void = guest.ensureConnected(timeout: .seconds(20))
        _ = try await (one, other)
        #expect(connections.count == 1)
        #expect(await guest.isAlive)
    }

    @Test("a caller that is cancelled does not end the other's reconnection")
    func cancelledReconnection() async throws {
        let (first, connections) = (FakeGuest(), Connections())
        let guest = ReconnectingGuest(first) { _, _ in try await connections.make() }
        first.cut()
        let impatient = Task { try await guest.ensureConnected(timeout: .seconds(20)) }
        let patient = Task { try await guest.ensureConnected(timeout: .seconds(20)) }
        impatient.cancel()
        try await patient.value
        _ = await impatient.result
        #expect(await guest.isAlive)
    }

    @Test("a second caller waits no longer than its own timeout")
    func impatient() async throws {
        let (first, connections) = (FakeGuest(), Connections())
        connections.gate.withLock { $0 = Task { try await Task.sleep(for: .seconds(3600)) } }
        let guest = ReconnectingGuest(first) { _, _ in try await connections.make() }
        first.cut()
        let slow = Task { try await guest.ensureConnected(timeout: .seconds(3600)) }
        await first.called(.close)
        await #expect(throws: TimedOut.self) { try await guest.ensureConnected(timeout: .milliseconds(30)) }
        connections.gate.withLock { $0?.cancel() }
        await #expect(throws: CancellationError.self) { try await slow.value }
    }

    @Test("after it was closed there is no connection")
    func closed() async throws {
        let first = FakeGuest()
        let guest = ReconnectingGuest(first) { _, _ in first }
        await guest.close()
        #expect(await !guest.isAlive)
        await #expect(throws: GuestError.connectionLost("it was closed")) { try await guest.run("true") { _ in } }
    }
}

@Suite("the POSIX dialect")
struct GuestDialectTests {
    @Test("text becomes one word of the shell, whatever is in it")
    func quoting() {
        #expect(GuestDialect.posix.quoted("it's $HOME") == "'it'\\''s $HOME'")
        #expect(GuestDialect.posix.removal(of: ["/tmp/a b", "-x"]) == "rm -f -- '/tmp/a b' '-x'")
    }
}
