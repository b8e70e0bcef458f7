public import DiscoCore
import Foundation

/// Commits concurrent appends in batches that share a disk flush (group commit): while one batch commits, the next one
/// gathers.
///
/// The lane's own threads commit the batches and resume the callers, so cancelling one caller never affects another
/// caller's commit. If a task is cancelled while its append is still queued, the append is withdrawn; an append in a
/// batch runs to completion.
///
/// With several appenders, one batch is prepared and sent while the previous one commits. The store's lock then decides
/// which batch goes first, and ensures that the second sees the first. Batches are kept about equal in size, because
/// each small batch costs a flush.
public final class AppendLane: Sendable {
    /// The number of times that the lane repeats a batch after `OutcomeUnknown` before it leaves the retry to the
    /// caller.
    private static let repeats = 3

    private let worker: Worker<LaneState>
    private let appenders: Int

    /// - Parameters:
    ///   - name: the thread's name; Linux shows 15 characters.
    ///   - appender: records the batches.
    public convenience init(name: String, appender: some BatchAppender) { self.init(name: name, appenders: [appender]) }

    /// - Parameters:
    ///   - name: the threads' name; if there are several, a hyphen and a number are appended.
    ///   - appenders: each gets a thread.
    public init(name: String, appenders: [some BatchAppender]) {
        precondition(!appenders.isEmpty, "A lane needs an appender.")
        self.appenders = appenders.count
        worker = Worker(name: name, threads: appenders.count, state: LaneState()) { loop in
            Self.run(loop, appenders[loop.index], of: appenders.count)
        }
    }

    /// - Parameters:
    ///   - name: the thread's name; Linux shows 15 characters.
    ///   - appender: records the batches, each in a task that the thread waits for.
    public convenience init(name: String, appender: some AsyncBatchAppender) {
        self.init(name: name, appenders: [appender])
    }

    /// - Parameters:
    ///   - name: the threads' name; if there are several, a hyphen and a number are appended.
    ///   - appenders: each gets a thread, which waits for the task that commits its batch.
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

    /// The number of appends that wait for the next batch.
    public var waiting: Int { worker.withState { $0.queue.count } }

    /// Rejects new appends, and returns once the queued appends have completed.
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
            // Let the next batch start before these callers are resumed.
            if isWanted { loop.wake() }
            for (waiting, outcome) in zip(batch, outcomes) {
                switch outcome {
                case .appended(let appended): waiting.waiter.settle(.success(appended))
                case .refused(let error): waiting.waiter.settle(.failure(error))
                }
            }
        }
    }

    /// Blocks until there is something to commit; returns `nil` when the lane ends.
    private static func next(_ loop: Worker<LaneState>.Loop, _ appenders: Int) -> [LaneState.Waiting]? {
        while true {
            loop.withState { $0.ready(loop.index) }
            let batch = loop.wait { state -> [LaneState.Waiting]? in
                // The other threads help only while the first is busy, so that a lone append always uses the same
                // connection.
                guard loop.index == 0 || state.firstIsBusy, let share = state.share(of: appenders) else { return nil }
                var batcher = Batcher(events: share)
                let count = state.queue.prefix { batcher.admit($0.append) }.count
                return state.take(count, by: loop.index)
            }
            guard let batch else { return nil }
            // Appends cancelled in the meantime are withdrawn: they are certainly not recorded.
            let taken = batch.filter { $0.waiter.take() }
            let isWanted = loop.withState { state in
                state.settled(batch.events - taken.events)
                return state.isWanted(of: appenders)
            }
            // Another thread may take what is left.
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
            // A technical failure must affect only the append that causes it.
            if batch.count == 1 { return [.refused(error)] }
            return batch.flatMap { commit([$0], appender) }
        }
    }

    /// Repeats the appends under the same ids, which shows whether they were recorded, and records them if they were
    /// not.
    private static func settle(
        _ batch: [Append], _ error: OutcomeUnknown, _ appender: some BatchAppender
    ) -> [BatchOutcome] {
        for attempt in 0..<repeats {
            do {
                return try appender.commit(batch)
            } catch {
                // Blocking is allowed on the lane's own thread.
                Thread.sleep(forTimeInterval: 0.05 * Double(1 << attempt))
            }
        }
        return batch.map { .refused(OutcomeUnknown(append: $0, underlying: error.underlying)) }
    }
}
