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
    /// After ``OutcomeUnknown`` the lane repeats the same batch by itself so often, and then leaves it to the caller.
    private static let repeats = 3

    private let state: Locked<LaneState>
    private let threads: [OwnThread]

    /// - Parameter name: that of the threads, at most 15 characters.
    public convenience init(name: String, appender: some BatchAppender) { self.init(name: name, appenders: [appender]) }

    /// - Parameter appenders: a thread for each.
    public init(name: String, appenders: [some BatchAppender]) {
        precondition(!appenders.isEmpty, "A lane needs an appender.")
        let state = Locked(LaneState())
        self.state = state
        threads = appenders.enumerated().map { index, appender in
            OwnThread(name: name) { Self.run(state, appender, index, of: appenders.count) }
        }
    }

    deinit { stop() }

    public func append(_ append: Append) async throws -> Appended {
        try Task.checkCancellation()
        try append.check()
        let waiter = Waiter<Appended>()
        let appenders = threads.count
        let isWanted = try state.withLock { state in
            if state.closing { throw EventStoreError.closed }
            state.enqueue(.init(append: append, waiter: waiter))
            return state.isWanted(of: appenders)
        }
        if isWanted { state.signal() }
        return try await waiter.value()
    }

    /// Refuses new appends and returns when those that wait have had their outcome.
    public func close() async {
        stop()
        for thread in threads { await thread.end() }
    }

    private func stop() {
        state.withLock { $0.closing = true }
        state.signal()
    }

    private static func run(_ state: Locked<LaneState>, _ appender: some BatchAppender, _ index: Int, of appenders: Int)
    {
        while let batch = next(state, index, appenders) {
            let outcomes = commit(batch.map(\.append), appender)
            let isWanted = state.withLock { state in
                state.settled(batch.events)
                return state.isWanted(of: appenders)
            }
            // Another may go before those here have been told.
            if isWanted { state.signal() }
            for (waiting, outcome) in zip(batch, outcomes) {
                switch outcome {
                case .appended(let appended): waiting.waiter.settle(.success(appended))
                case .refused(let error): waiting.waiter.settle(.failure(error))
                }
            }
        }
    }

    /// Blocks until there is something to commit; nil at the end.
    private static func next(_ state: Locked<LaneState>, _ index: Int, _ appenders: Int) -> [LaneState.Waiting]? {
        while true {
            state.withLock { $0.ready(index) }
            let batch: [LaneState.Waiting]? = state.waiting { state in
                // The others help the first: what comes alone always goes over one connection.
                guard index == 0 || state.firstIsBusy, let share = state.share(of: appenders) else {
                    return state.closing ? [] : nil
                }
                var batcher = Batcher(events: share)
                let count = state.queue.prefix { batcher.admit($0.append) }.count
                return state.take(count, by: index)
            }
            guard let batch, !batch.isEmpty else { return nil }
            // Those cancelled meanwhile are withdrawn: certainly not recorded.
            let taken = batch.filter { $0.waiter.take() }
            let isWanted = state.withLock { state in
                state.settled(batch.events - taken.events)
                return state.isWanted(of: appenders)
            }
            // What is left may be another's.
            if isWanted { state.signal() }
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
