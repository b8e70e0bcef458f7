#if ServiceLifecycle
import ServiceLifecycle

/// Whether the work should end: a graceful shutdown lets current work finish but ends all waiting.
enum Shutdown {
    static var isAsked: Bool { Task.isCancelled || Task.isShuttingDownGracefully }

    /// Runs something that only waits.
    static func ending<Result: Sendable>(
        _ wait: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await cancelWhenGracefulShutdown(wait)
    }
}
#else
/// Whether the work should end.
enum Shutdown {
    static var isAsked: Bool { Task.isCancelled }

    /// Runs something that only waits.
    static func ending<Result: Sendable>(_ wait: () async throws -> Result) async throws -> Result {
        try await wait()
    }
}
#endif
