import DiscoCore

#if ServiceLifecycle
public import ServiceLifecycle

extension Consumers: Service {}
#endif

extension Consumers {
    /// Runs all consumers until the task is cancelled or its service group shuts down.
    ///
    /// A graceful shutdown finishes the current event, saves the checkpoint and gives the partitions back, so that other
    /// processes take over at once; a cancelled task cancels the current event, which is then delivered again. Neither
    /// counts as a failed attempt. A consumer whose store cannot be reached waits for it, even at startup.
    ///
    /// - Throws: ``/DiscoCore/CheckpointDiverged``, ``ConsumerStopped``, or a store error that does not pass by itself.
    public func run() async throws {
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                if let tail = groups.first?.tail { tasks.addTask { try await watch(tail) } }
                for group in groups { tasks.addTask { try await group.run() } }
                // One that fails ends them all: a stopped consumer must not go unnoticed.
                for _ in groups { try await tasks.next() }
                tasks.cancelAll()
            }
        } catch is CancellationError where Shutdown.isAsked {
            return
        }
    }

    /// Watches the store for all consumers that have read everything. While the store is away, they wait on their own.
    private func watch(_ tail: SharedTail) async throws {
        while true {
            do {
                try await tail.watch()
            } catch is EventStoreError {
                try await client.context.sleep(for: .milliseconds(500))
            }
        }
    }

    /// Brings every consumer up to date with what is recorded, including what they cause, and returns.
    ///
    /// Partitions that other processes own are left to them, and waited for. Events whose retry is not due yet stay
    /// held.
    ///
    /// - Parameter projectionsOnly: skips the policies, which act on the outside world.
    /// - Throws: ``/DiscoCore/CheckpointDiverged``, or what the stores throw.
    public func catchUp(projectionsOnly: Bool = false) async throws {
        let groups = groups.compactMap { projectionsOnly ? $0.projections : $0 }
        while true {
            let head = try await client.head()
            for group in groups { try await group.catchUp(to: head) }
            if try await client.head() == head { return }
        }
    }
}
