import Scopes

/// The state of a task.
package enum TaskState: Sendable, Equatable {
    case running
    /// With the server's word for its end: `OK`, `WARNINGS: 2`, or an error's text.
    case ended(String)

    /// Whether it did what it was to do.
    package var isSuccess: Bool {
        guard case .ended(let status) = self else { return false }
        return status == "OK" || status.hasPrefix("WARNINGS: ")
    }
}

extension ProxmoxClient {
    /// Asks once for the state of a task.
    package func state(of task: UPID) async throws -> TaskState {
        struct Answer: Decodable, Sendable {
            var status: String
            var exitstatus: JSONScalar?
        }
        let answer: Answer = try await call(
            APICall(.GET, ["nodes", task.node, "tasks", task.text, "status"], to: "look at the task \(task.type)"))
        return answer.status == "running" ? .running : .ended(Self.oneLine(answer.exitstatus?.text ?? "no status"))
    }

    /// Lines of a task's log.
    ///
    /// - Parameter start: of the first line, from 0.
    package func log(of task: UPID, from start: Int = 0, limit: Int = 500) async throws -> [String] {
        struct Line: Decodable, Sendable { var t: JSONScalar? }
        let answer: [Line] = try await call(
            APICall(
                .GET, ["nodes", task.node, "tasks", task.text, "log"], [("start", "\(start)"), ("limit", "\(limit)")],
                to: "read the log of the task \(task.type)"))
        return answer.map { Self.oneLine($0.t?.text ?? "") }
    }

    /// Waits until a task has ended well.
    ///
    /// - Parameters:
    ///   - operation: what the task does, as an infinitive.
    ///   - limit: nil is the pace's limit for tasks.
    /// - Throws: `BuildError` over `TaskFailure` if it failed, over `TimedOut` at the limit; `CancellationError`. The
    ///   task itself goes on in the last two.
    package func wait(for task: UPID, to operation: String, limit: Duration? = nil) async throws {
        let end: TaskState
        do {
            end = try await poll(
                "waiting for the task \(task.type)", every: server.pace.pollInterval,
                limit: limit ?? server.pace.taskLimit
            ) {
                let state = try await self.state(of: task)
                return state == .running ? nil : state
            }
        } catch let error as TimedOut {
            throw BuildError(
                operation: operation,
                hint: "The server is slower than expected; see the task on node \(task.node)"
                    + (limit == nil ? ", and raise the limit for tasks." : ", where it goes on."),
                underlying: error)
        }
        guard case .ended(let status) = end, !end.isSuccess else { return }
        // Without its log the failure still says what happened.
        let lines = (try? await log(of: task)) ?? []
        let failure = TaskFailure(task: task, status: status, log: Array(lines.suffix(50)))
        throw BuildError(operation: operation, hint: RefusalAdvice.hint(for: failure), underlying: failure)
    }

    /// Asks a task to stop; it ends a little later.
    package func stop(_ task: UPID) async throws {
        let _: JSONScalar? = try await call(
            APICall(
                .DELETE, ["nodes", task.node, "tasks", task.text], to: "stop the task \(task.type)",
                privileges: "`Sys.Modify` on `/nodes/\(task.node)`"))
    }

    /// Tasks of a type that run on a node, as far as the user may see them.
    package func runningTasks(on node: String, type: String) async throws -> [UPID] {
        struct Answer: Decodable, Sendable { var upid: String }
        let answer: [Answer] = try await call(
            APICall(
                .GET, ["nodes", node, "tasks"], [("source", "active"), ("typefilter", type)],
                to: "list the running tasks of node \(node)"))
        return answer.compactMap { try? UPID($0.upid) }  // Ids of a form yet unknown are not ours.
    }

    /// The task that a call started.
    func startTask(_ call: APICall) async throws -> UPID {
        guard let task = try await startTaskIfNeeded(call) else {
            throw BuildError(
                call.operation, because: "the server named no task",
                hint: "Check on the server whether it happened, and the server's version.")
        }
        return task
    }

    /// As `startTask`; nil where the server was done at once.
    func startTaskIfNeeded(_ call: APICall) async throws -> UPID? {
        let answer: JSONScalar? = try await self.call(call)
        guard let text = answer?.text, !text.isEmpty else { return nil }
        return try await attempting(call.operation, hint: "Check the server's version.") { try UPID(text) }
    }
}
