import Foundation

/// A serial executor with one thread, for C libraries whose calls block or must stay on one thread.
package final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isStopped = false

    package init(name: String) {
        let thread = Thread { [self] in work() }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Runs a job on the thread, after all earlier ones.
    package func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        condition.lock()
        jobs.append(unowned)
        condition.signal()
        condition.unlock()
    }

    /// The executor, for an actor's `unownedExecutor`.
    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Ends the thread once every job enqueued so far has run. Call it when the owning actor is done for good.
    package func stop() {
        condition.lock()
        isStopped = true
        condition.signal()
        condition.unlock()
    }

    private func work() {
        while true {
            condition.lock()
            while jobs.isEmpty && !isStopped { condition.wait() }
            let batch = jobs
            jobs.removeAll()
            let isDone = batch.isEmpty && isStopped
            condition.unlock()
            if isDone { return }
            for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }
}
