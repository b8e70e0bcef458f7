import DiscoCore

#if ServiceLifecycle
public import ServiceLifecycle

extension Consumers: Service {}
#endif

extension Consumers {
    /// Runs all consumers until the task is cancelled or its service group shuts down.
    ///
    /// A graceful shutdown finishes the current event and saves the checkpoint; a cancelled task cancels the current
    /// event, which is then delivered again. Neither counts as a failed attempt. A consumer whose store cannot be
    /// reached waits for it, even at startup.
    ///
    /// - Throws: ``/DiscoCore/CheckpointDiverged``, or a store error that does not pass by itself.
    public func run() async throws {
        do {
            // Permanent errors are found before any consumer starts; one that waits for a store does not delay the
            // others.
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
                // One that fails ends them all: a stopped consumer must not go unnoticed.
                while try await group.next() != nil {}
            }
        } catch is CancellationError where Shutdown.isAsked {
            return
        }
    }
}
