#if ServiceLifecycle
    import ServiceLifecycle

    /// Whether the work is to come to an end: a graceful shutdown lets what is in hand be finished, but nothing be
    /// waited for.
    enum Shutdown {
        static var isAsked: Bool { Task.isCancelled || Task.isShuttingDownGracefully }

        /// Runs something that only waits.
        static func ending(_ wait: @escaping @Sendable () async throws -> Void) async throws {
            try await cancelWhenGracefulShutdown(wait)
        }
    }
#else
    /// Whether the work is to come to an end.
    enum Shutdown {
        static var isAsked: Bool { Task.isCancelled }

        /// Runs something that only waits.
        static func ending(_ wait: () async throws -> Void) async throws { try await wait() }
    }
#endif
