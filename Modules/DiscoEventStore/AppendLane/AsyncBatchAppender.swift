public import DiscoCore

/// Records several appends in one transaction for an ``AppendLane``. An adapter whose database has an async API
/// implements it in place of ``BatchAppender``.
public protocol AsyncBatchAppender: Sendable {
    /// Records a batch. The lane calls it in a task of its own, one batch at a time. That task belongs to no caller: it
    /// is never cancelled, and has no caller's task-local values.
    ///
    /// The result and the errors have the same meaning as for ``BatchAppender/commit(_:)``.
    func commit(_ batch: [Append]) async throws -> [BatchOutcome]
}

/// Blocks the calling thread until the task that commits has finished.
struct BlockingAppender<Base: AsyncBatchAppender>: BatchAppender {
    let base: Base

    func commit(_ batch: [Append]) throws -> [BatchOutcome] {
        let result = Locked<Result<[BatchOutcome], any Error>?>(nil)
        // Detached, because a caller's cancellation must not reach the batch. The task cannot outlive the lane, whose
        // thread waits for it here. That thread is not part of Swift's pool, which the task needs.
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
        guard let outcomes = result.waiting({ $0 }) else { preconditionFailure("A wait without a limit timed out.") }
        return try outcomes.get()
    }
}
