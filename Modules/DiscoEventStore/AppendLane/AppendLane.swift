public import DiscoCore
import Foundation

/// Group commit: while one batch of appends commits, the next gathers, so that concurrent appends share a disk flush.
///
/// The lane belongs to no caller: its own threads commit batches and resume callers, so that one caller's cancellation
/// never reaches another's commit. An append that is still waiting when its task is cancelled is withdrawn; one in a
/// batch runs to its outcome.
///
/// With several appenders a batch is laid out and sent while the one before it commits. Which goes first, and that each
/// sees the other, is then the affair of the store's lock; batches are kept about as large as each other, since small
/// ones cost a flush each.
public final class AppendLane: Sendable {
    /// After `OutcomeUnknown` the lane repeats the same batch by itself so often, and then leaves it to the caller.
    private static let repeats = 3

    private let worker: Worker<LaneState>
    private let appenders: Int

    /// - Parameters:
    ///   - name: that of the thread, of which Linux shows 15 characters.
    ///   - appender: records the batches.
    public convenience init(name: String, appender: some BatchAppender) { self.init(name: name, appenders: [appender]) }

    /// - Parameters:
    ///   - name: that of the threads, with a hyphen and a number behind it where there are several.
    ///   - appenders: a thread for each.
    public init(name: String, appenders: [some BatchAppender]) {
        precondition(!appenders.isEmpty, "A lane needs an appender.")
        self.appenders = appenders.count
        worker = Worker(name: name, threads: appenders.count, state: LaneState()) { loop in
            Self.run(loop, appenders[loop.index], of: appenders.count)
        }
    }

    /// - Parameters:
    ///   - name: that of the thread, of which Linux shows 15 characters.
    ///   - appender: records the batches, each in a task that the thread waits for.
    public convenience init(name: String, appender: some AsyncBatchAppender) {
        self.init(name: name, appenders: [appender])
    }

    /// - Parameters:
    ///   - name: that of the threads, with a hyphen and a number behind it where there are several.
    ///   - appenders: a thread for each, which waits for the task that commits its batch.
    public convenience init(name: String, appenders: [some AsyncBatchAppender]) {
        self.init(name: name, appenders: appenders.map { BlockingAppender(base: $0) })
    }

    deinit { worker.withState { $0.closing = true } }

    @concurrent public func append(_ append: Append) async throws -> Appended {
        try Task.checkCancellation()
        try append.check()
        let waiter = Waiter<Appended>()
        let isWanted = try worker.withState { state in
            if state.closing { throw EventStoreError.closed }
            state.enqueue(.init(append: append, waiter: waiter))
            return state.isWanted(of: appenders)
        }
        if isWanted { worker.wake() }
        return try await waiter.value()
    }

    /// Refuses new appends and returns when those that wait have had their outcome.
    public func close() async {
        worker.withState { $0.closing = true }
        await worker.end()
    }

    private static func run(_ loop: Worker<LaneState>.Loop, _ appender: some BatchAppender, of appenders: Int) {
        while let batch = next(loop, appenders) {
            let outcomes = commit(batch.map(\.append), appender)
            let isWanted = loop.withState { state in
                state.settled(batch.events)
                return state.isWanted(of: appenders)
            }
            // Another may go before those here have been told.
            if isWanted { loop.wake() }
            for (waiting, outcome) in zip(batch, outcomes) {
                switch outcome {
                case .appended(let appended): waiting.waiter.settle(.success(appended))
                case .refused(let error): waiting.waiter.settle(.failure(error))
                }
            }
        }
    }

    /// Blocks until there is something to commit; nil at the end.
    private static func next(_ loop: Worker<LaneState>.Loop, _ appenders: Int) -> [LaneState.Waiting]? {
        while true {
            loop.withState { $0.ready(loop.index) }
            let batch = loop.wait { state -> [LaneState.Waiting]? in
                // The other threads help the first, so that a lone append always goes over the same connection.
                guard loop.index == 0 || state.firstIsBusy, let share = state.share(of: appenders) else { return nil }
                var batcher = Batcher(events: share)
                let count = state.queue.prefix { batcher.admit($0.append) }.count
                return state.take(count, by: loop.index)
            }
            guard let batch else { return nil }
            // Those cancelled meanwhile are withdrawn: certainly not recorded.
            let taken = batch.filter { $0.waiter.take() }
            let isWanted = loop.withState { state in
                state.settled(batch.events - taken.events)
                return state.isWanted(of: appenders)
            }
            // What is left may be another's.
            if isWanted { loop.wake() }
            if !taken.isEmpty { return taken }
        }
    }

    private static func commit(_ batch: [Append], _ appender: some BatchAppender) -> [BatchOutcome] {
        do {
            return try appender.commit(batch)
        } catch let error as OutcomeUnknown {
            return settle(batch, error, appender)
        } catch let error as EventStoreError
            where [.busy, .full, .readOnly, .closed, .unavailable].contains(error.code)
        {
            return batch.map { _ in .refused(error) }
        } catch {
            // Only the culprit of a technical failure may suffer from it.
            if batch.count == 1 { return [.refused(error)] }
            return batch.flatMap { commit([$0], appender) }
        }
    }

    /// The same appends once more, under the same ids, find out whether they were recorded, and record them where not.
    private static func settle(
        _ batch: [Append], _ error: OutcomeUnknown, _ appender: some BatchAppender
    ) -> [BatchOutcome] {
        for attempt in 0..<repeats {
            do {
                return try appender.commit(batch)
            } catch {
                // On the lane's own thread.
                Thread.sleep(forTimeInterval: 0.05 * Double(1 << attempt))
            }
        }
        return batch.map { .refused(OutcomeUnknown(append: $0, underlying: error.underlying)) }
    }
}
