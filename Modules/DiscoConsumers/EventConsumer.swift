public import DiscoCore

/// A projection or policy together with the store that remembers how far it has come.
public struct EventConsumer: Sendable {
    enum Work: Sendable {
        case projection(any Projection, any ReadModelStore)
        case policy(any Policy, any CheckpointStore)
    }

    public let name: String
    let query: EventQuery
    let start: ConsumerStart
    let work: Work

    /// A projection, whose checkpoint is kept in the store of its read model.
    ///
    /// - Parameters:
    ///   - projection: what writes the read model.
    ///   - store: holds the read model and the checkpoint.
    ///   - start: where it begins when it is run for the first time.
    public static func projection(
        _ projection: some Projection, in store: any ReadModelStore, from start: ConsumerStart = .beginning
    ) -> EventConsumer {
        EventConsumer(
            name: projection.name, query: projection.query, start: start, work: .projection(projection, store))
    }

    /// A policy and the store of its checkpoint.
    ///
    /// - Parameters:
    ///   - policy: what reacts to the events.
    ///   - store: holds the checkpoint, and the events that wait to be tried again.
    ///   - start: where it begins when it is run for the first time. A policy that is added to a system with a history
    ///     reacts to all of it unless told otherwise.
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
