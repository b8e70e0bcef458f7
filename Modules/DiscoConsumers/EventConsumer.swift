public import DiscoCore

/// A projection or policy together with the store of its checkpoint.
public struct EventConsumer: Sendable {
    enum Work: Sendable {
        case projection(any Projection, any ReadModelStore)
        case policy(any Policy, any CheckpointStore)
    }

    public let name: String
    let query: EventQuery
    let start: ConsumerStart
    let partitions: Int
    let failures: FailurePolicy
    let work: Work

    /// A projection, whose checkpoint is stored with its read model.
    ///
    /// - Parameters:
    ///   - projection: writes the read model.
    ///   - store: holds the read model and the checkpoint.
    ///   - start: where it starts on its first run.
    ///   - partitions: in how many parts its events are divided on its first run, from 1 to 1,024: each process works
    ///     on some of them. The events of a stream are always in the same part.
    ///   - failures: what happens to an event that fails.
    public static func projection(
        _ projection: some Projection, in store: any ReadModelStore, from start: ConsumerStart = .beginning,
        partitions: Int = 1, failures: FailurePolicy = FailurePolicy()
    ) -> EventConsumer {
        EventConsumer(
            name: projection.name, query: projection.query, start: start, partitions: partitions, failures: failures,
            work: .projection(projection, store))
    }

    /// A policy and the store of its checkpoint.
    ///
    /// - Parameters:
    ///   - policy: reacts to the events.
    ///   - store: holds the checkpoint and the held streams.
    ///   - start: where it starts on its first run. By default, a policy that is added to a system with a history
    ///     reacts to all of it.
    ///   - partitions: in how many parts its events are divided on its first run, from 1 to 1,024.
    ///   - failures: what happens to an event that fails.
    public static func policy(
        _ policy: some Policy, in store: any CheckpointStore, from start: ConsumerStart = .beginning,
        partitions: Int = 1, failures: FailurePolicy = FailurePolicy()
    ) -> EventConsumer {
        EventConsumer(
            name: policy.name, query: policy.query, start: start, partitions: partitions, failures: failures,
            work: .policy(policy, store))
    }

    var isProjection: Bool {
        if case .projection = work { true } else { false }
    }

    var checkpoints: any CheckpointStore {
        switch work {
        case .projection(_, let store): store
        case .policy(_, let store): store
        }
    }
}
