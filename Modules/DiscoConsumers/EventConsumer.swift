public import DiscoCore

/// A projection or policy together with the store of its checkpoint.
public struct EventConsumer: Sendable {
    enum Work: Sendable {
        case projection(any Projection, any ReadModelStore)
        case policy(any Policy, any CheckpointStore)
    }

    let definition: ConsumerDefinition
    let query: EventQuery
    let start: ConsumerStart
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
            definition: ConsumerDefinition(
                projection.name, version: projection.version, query: projection.query, partitions: partitions,
                isProjection: true),
            query: projection.query, start: start, failures: failures, work: .projection(projection, store))
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
            definition: ConsumerDefinition(
                policy.name, version: policy.version, query: policy.query, partitions: partitions, isProjection: false),
            query: policy.query, start: start, failures: failures, work: .policy(policy, store))
    }

    public var name: String { definition.name }
    var isProjection: Bool { definition.isProjection }

    var checkpoints: any CheckpointStore {
        switch work {
        case .projection(_, let store): store
        case .policy(_, let store): store
        }
    }
}
