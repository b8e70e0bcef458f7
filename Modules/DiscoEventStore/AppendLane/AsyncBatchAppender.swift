public import DiscoCore

/// What an adapter whose database is reached by async calls does for the ``AppendLane``, in place of a
/// ``BatchAppender``: records several appends in one transaction.
public protocol AsyncBatchAppender: Sendable {
    /// Called by the lane in a task of its own, one batch at a time. The task belongs to no caller: it is never
    /// cancelled, and has none of their task-local values.
    ///
    /// What it returns and throws means the same as for ``BatchAppender/commit(_:)``.
    func commit(_ batch: [Append]) async throws -> [BatchOutcome]
}

/// Has the thread that asks wait for the task that commits.
struct BlockingAppender<Base: AsyncBatchAppender>: BatchAppender {
    let base: Base

    func commit(_ batch: [Append]) throws -> [BatchOutcome] {
        let result = Locked<Result<[BatchOutcome], any Error>?>(nil)
        // Detached, and not part of any caller's: their cancellation must not reach the batch. It cannot outlive the
        // lane, whose thread waits for it here; that thread is none of Swift's pool, which the task needs.
        Task.detached { [base] in
            let outcomes: Result<[BatchOutcome], any Error>
            do {
                outcomes = .success(try await base.commit(batch))
            } catch {
                outcomes = .failure(error)
            }
            result.withLock { $0 = outcomes }
            result.signal()
        }
        guard let outcomes = result.waiting({ $0 }) else { preconditionFailure("A wait without a limit ended.") }
        return try outcomes.get()
    }
}
