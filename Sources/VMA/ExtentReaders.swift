import Foundation
import Scopes

/// Threads that fill extents ahead of the one who takes them, in order and a bounded number at a time.
final class ExtentReaders: @unchecked Sendable {
    private let plan: ExtentPlan
    private let ahead: UInt64
    private let condition = NSCondition()
    // All below is guarded by the condition.
    private var nextToFill: UInt64 = 0
    private var nextToTake: UInt64 = 0
    private var filled: [UInt64: ExtentBuffer] = [:]
    private var spare: [ExtentBuffer] = []
    private var failure: (any Error)?
    private var isStopped = false
    private var running = 0

    init(_ plan: ExtentPlan, threads: Int) {
        self.plan = plan
        ahead = UInt64(threads) * 2
        running = threads
        for number in 0..<threads {
            let thread = Thread { [self] in work() }
            thread.name = "disk reader \(number)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    /// The next extent in order; nil after the last. Give it back with `recycle`.
    func next() throws -> ExtentBuffer? {
        condition.lock()
        defer { condition.unlock() }
        guard nextToTake < plan.extents else { return nil }
        while true {
            if let buffer = filled.removeValue(forKey: nextToTake) {
                nextToTake += 1
                condition.broadcast()
                return buffer
            }
            if let failure { throw failure }
            condition.wait()
        }
    }

    func recycle(_ buffer: ExtentBuffer) {
        condition.withLock { spare.append(buffer) }
    }

    /// Waits until no thread reads any more.
    func stop() {
        condition.lock()
        isStopped = true
        condition.broadcast()
        while running > 0 { condition.wait() }
        condition.unlock()
    }

    private func work() {
        while let (extent, buffer) = begin() {
            let result = Result { try plan.fill(buffer, extent: extent) }
            condition.withLock {
                switch result {
                case .success: filled[extent] = buffer
                case .failure(let error): failure = failure ?? error
                }
                condition.broadcast()
            }
        }
        condition.withLock {
            running -= 1
            condition.broadcast()
        }
    }

    private func begin() -> (UInt64, ExtentBuffer)? {
        condition.lock()
        defer { condition.unlock() }
        while nextToFill >= nextToTake + ahead, !isStopped, failure == nil { condition.wait() }
        guard nextToFill < plan.extents, !isStopped, failure == nil else { return nil }
        defer { nextToFill += 1 }
        return (nextToFill, spare.popLast() ?? ExtentBuffer())
    }
}
