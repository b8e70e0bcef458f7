#if ServiceLifecycle
public import DiscoCore
public import ServiceLifecycle

extension CommandQueue {
    /// The queue as a service: on a graceful shutdown it accepts no more commands, and runs the waiting ones before
    /// it ends.
    public var service: some Service { QueueService(queue: self) }
}

private struct QueueService: Service {
    let queue: CommandQueue

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await queue.run()
        } onGracefulShutdown: {
            queue.drain()
        }
    }
}
#endif
