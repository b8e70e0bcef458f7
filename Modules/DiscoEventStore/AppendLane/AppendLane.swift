public import DiscoCore
import Foundation

/// Group commit: while one batch of appends commits, the next gathers, so that concurrent appends share a disk flush.
///
/// The lane belongs to no caller: its own thread commits batches and resumes callers, so that one caller's cancellation never
/// reaches another's commit. An append that is still waiting when its task is cancelled is withdrawn; one in a batch
/// runs to its outcome.
public final class AppendLane: Sendable {
    private struct Waiting: Sendable {
        let append: Append
        let waiter: Waiter<Appended>
    }

    private struct State: Sendable {
        var queue: [Waiting] = []
        var closing = false
    }

    /// After ``OutcomeUnknown`` the lane repeats the same batch by itself so often, and then leaves it to the caller.
    private static let repeats = 3

    private let state: Locked<State>
    private let thread: OwnThread

    /// - Parameter name: that of the thread, at most 15 characters.
    public init(name: String, appender: some BatchAppender) {
        let state = Locked(State())
        self.state = state
        thread = OwnThread(name: name) { Self.run(state, appender) }
    }

    deinit { stop() }

    public func append(_ append: Append) async throws -> Appended {
        try Task.checkCancellation()
        try append.check()
        let waiter = Waiter<Appended>()
        try state.withLock { state in
            if state.closing { throw EventStoreError.closed }
            state.queue.append(Waiting(append: append, waiter: waiter))
        }
        state.signal()
        return try await waiter.value()
    }

    /// Refuses new appends and returns when those that wait have had their outcome.
    public func close() async {
        stop()
        await thread.end()
    }

    private func stop() {
        state.withLock { $0.closing = true }
        state.signal()
    }

    private static func run(_ state: Locked<State>, _ appender: some BatchAppender) {
        while let batch = next(state) {
            for (waiting, outcome) in zip(batch, commit(batch.map(\.append), appender)) {
                switch outcome {
                case .appended(let appended): waiting.waiter.settle(.success(appended))
                case .refused(let error): waiting.waiter.settle(.failure(error))
                }
            }
        }
    }

    /// Blocks until there is something to commit; nil at the end.
    private static func next(_ state: Locked<State>) -> [Waiting]? {
        while true {
            let batch: [Waiting]? = state.waiting { state in
                if state.queue.isEmpty { return state.closing ? [] : nil }
                var batcher = Batcher()
                let count = state.queue.prefix { batcher.admit($0.append) }.count
                defer { state.queue.removeFirst(count) }
                return Array(state.queue.prefix(count))
            }
            guard let batch, !batch.isEmpty else { return nil }
            // Those cancelled meanwhile are withdrawn: certainly not recorded.
            let taken = batch.filter { $0.waiter.take() }
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
                Thread.sleep(forTimeInterval: 0.05 * Double(1 << attempt))
            }
        }
        return batch.map { .refused(OutcomeUnknown(append: $0, underlying: error.underlying)) }
    }
}
