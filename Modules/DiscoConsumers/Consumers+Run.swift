#if ServiceLifecycle
    public import ServiceLifecycle

    extension Consumers: Service {
        /// Runs all consumers until the task is cancelled or its service group shuts down; a batch that was begun is finished.
        public func run() async throws {
            do {
                try await cancelWhenGracefulShutdown { try await runAll() }
            } catch is CancellationError {
                return
            }
        }
    }
#else
    extension Consumers {
        /// Runs all consumers until the task is cancelled; a batch that was begun is finished.
        public func run() async throws {
            do {
                try await runAll()
            } catch is CancellationError {
                return
            }
        }
    }
#endif
