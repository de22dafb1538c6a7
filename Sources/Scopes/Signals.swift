@preconcurrency import Dispatch
import Foundation

/// The given signals as they arrive; their default action is switched off for good.
package func signals(_ numbers: Int32...) -> AsyncStream<Int32> {
    AsyncStream { continuation in
        let sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
        // The sources live as long as the stream: a source that is let go leaves its signal swallowed.
        continuation.onTermination = { _ in sources.forEach { $0.cancel() } }
    }
}
