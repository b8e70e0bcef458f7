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
    let work: Work

    /// A projection, whose checkpoint is stored with its read model.
    ///
    /// - Parameters:
    ///   - projection: writes the read model.
    ///   - store: holds the read model and the checkpoint.
    ///   - start: where it starts on its first run.
    public static func projection(
        _ projection: some Projection, in store: any ReadModelStore, from start: ConsumerStart = .beginning
    ) -> EventConsumer {
        EventConsumer(
            name: projection.name, query: projection.query, start: start, work: .projection(projection, store))
    }

    /// A policy and the store of its checkpoint.
    ///
    /// - Parameters:
    ///   - policy: reacts to the events.
    ///   - store: holds the checkpoint and the held events.
    ///   - start: where it starts on its first run. By default, a policy that is added to a system with a history
    ///     reacts to all of it.
    public static func policy(
        _ policy: some Policy, in store: any CheckpointStore, from start: ConsumerStart = .beginning
    ) -> EventConsumer {
        EventConsumer(name: policy.name, query: policy.query, start: start, work: .policy(policy, store))
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
