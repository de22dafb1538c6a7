@preconcurrency import Dispatch
import Foundation
import Synchronization

/// The given signals as they arrive, from now until the stream is released.
///
/// Their default action is disabled for good. A signal that arrives while no stream exists ends the process with 128
/// plus its number, as shells report it.
package func signals(_ numbers: Int32...) -> AsyncStream<Int32> {
    AsyncStream { SignalHub.shared.add($0, for: numbers) }
}

/// Receives the process's signals, each by one source that is never released: a second source for the same signal would
/// receive nothing.
private final class SignalHub: Sendable {
    static let shared = SignalHub()

    private struct State {
        var sources: [Int32: any DispatchSourceSignal] = [:]
        var listeners: [Int: (numbers: [Int32], continuation: AsyncStream<Int32>.Continuation)] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    func add(_ continuation: AsyncStream<Int32>.Continuation, for numbers: [Int32]) {
        let key = state.withLock { state in
            for number in numbers where state.sources[number] == nil {
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { [self] in arrived(number) }
                source.resume()
                state.sources[number] = source
            }
            state.next += 1
            state.listeners[state.next] = (numbers, continuation)
            return state.next
        }
        continuation.onTermination = { [self] _ in state.withLock { $0.listeners[key] = nil } }
    }

    private func arrived(_ number: Int32) {
        let listeners = state.withLock { $0.listeners.values.filter { $0.numbers.contains(number) } }
        if listeners.isEmpty { _exit(128 + number) }
        for listener in listeners { listener.continuation.yield(number) }
    }
}
