import Foundation
package import Scopes
import Synchronization

/// What a build tells about itself. Secrets are taken out here, before anything sees the text.
package final class Reporter: Sendable {
    package let build: String
    private let sinks: [any EventSink]
    private let currentRedactor: Mutex<Redactor>

    package init(build: String, sinks: [any EventSink], secrets: [Sensitive<String>]) {
        self.build = build
        self.sinks = sinks
        currentRedactor = Mutex(Redactor(secrets))
    }

    /// From now on these words are secrets too, such as a password made for this build.
    package func conceal(_ secrets: [Sensitive<String>]) {
        currentRedactor.withLock { $0 = $0.adding(secrets) }
    }

    /// Masks all that is secret now.
    package var redactor: Redactor { currentRedactor.withLock { $0 } }

    package func redact(_ text: String) -> String { redactor.redact(text) }

    package func report(_ kind: Event.Kind, _ text: String, _ fields: [String: JSONValue] = [:]) {
        let event = event(kind, text, fields)
        for sink in sinks { sink.receive(event) }
    }

    /// An event of this build, without its secrets.
    func event(_ kind: Event.Kind, _ text: String, _ fields: [String: JSONValue] = [:]) -> Event {
        let redactor = redactor
        return Event(
            time: Date(), build: build, kind: kind, text: redactor.redact(text),
            fields: fields.mapValues { $0.mapText(redactor.redact) })
    }

    package func news(_ text: String) { report(.news, text) }
    package func warn(_ text: String) { report(.warning, text) }
    package func debug(_ text: String) { report(.debug, text) }
    package func teardownFailed(_ error: BuildError) { report(.warning, "also \(error)") }

    /// Runs one step of the build, and says when it began and how long it took.
    package func step<Value>(_ title: String, _ body: () async throws -> Value) async throws -> Value {
        report(.stepStarted, title)
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let value = try await body()
            report(.stepFinished(took: clock.now - start, failed: false), title)
            return value
        } catch {
            report(.stepFinished(took: clock.now - start, failed: true), title)
            throw error
        }
    }
}
