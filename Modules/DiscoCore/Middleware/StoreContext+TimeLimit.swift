extension StoreContext {
    /// Runs `body`, and cancels it when it takes longer than `limit`.
    ///
    /// - Throws: `error` if the time is over, or what `body` throws. A body that succeeds although it was cancelled has
    ///   succeeded.
    package func limited<Result: Sendable>(
        to limit: Duration, _ error: @autoclosure () -> any Error,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        // A task that can be cancelled on its own. It is always awaited here, so it is as structured as a child task; and
        // it starts on this thread, because waking another costs more than everything else here.
        let task: Task<Result, any Error> =
            if #available(macOS 26, *) { .immediate { try await body() } } else { Task { try await body() } }
        let isOver = Locked(false)
        let cancel = schedule(limit) {
            isOver.withLock { $0 = true }
            task.cancel()
        }
        defer { cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch let thrown {
            if thrown is CancellationError, isOver.withLock({ $0 }), !Task.isCancelled { throw error() }
            throw thrown
        }
    }
}
