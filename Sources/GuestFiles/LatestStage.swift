import Synchronization

/// Passes progress on together with its stage.
final class LatestStage: Sendable {
    private let current = Mutex(FinishStage.start)
    private let report: @Sendable (FinishStage, Double?) -> Void

    init(report: @escaping @Sendable (FinishStage, Double?) -> Void) { self.report = report }

    func begin(_ stage: FinishStage) {
        current.withLock { $0 = stage }
        report(stage, nil)
    }

    func progress(_ fraction: Double) { report(current.withLock { $0 }, fraction) }
}
