import DiscoCore

#if ServiceLifecycle
    public import ServiceLifecycle

    extension Consumers: Service {}
#endif

extension Consumers {
    /// Runs all consumers until the task is cancelled or its service group shuts down.
    ///
    /// A graceful shutdown finishes the event in hand and saves the checkpoint; a cancelled task cancels the event in
    /// hand, which then comes again. Neither counts as a failed attempt. A store that cannot be reached is waited for,
    /// from the beginning on.
    ///
    /// - Throws: ``/DiscoCore/CheckpointDiverged``, or what the stores throw and does not pass by itself.
    public func run() async throws {
        do {
            // What cannot go on at all is found before anybody begins; who waits for a store keeps nobody else waiting.
            var late: Set<String> = []
            for loop in loops {
                do {
                    try await loop.prepare()
                } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                    late.insert(loop.consumer.name)
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { [late] group in
                for loop in loops {
                    group.addTask {
                        if late.contains(loop.consumer.name) { try await loop.patiently { try await loop.prepare() } }
                        try await loop.run()
                    }
                }
                // One that fails ends them all: what nobody tends must not go on unnoticed.
                while try await group.next() != nil {}
            }
        } catch is CancellationError where Shutdown.isAsked {
            return
        }
    }
}
