public import DiscoCore

/// A projection or policy together with the store that remembers how far it has come.
public struct EventConsumer: Sendable {
    enum Work: Sendable {
        case projection(any Projection, any ReadModelStore)
        case policy(any Policy, any CheckpointStore)
    }

    public let name: String
    let query: EventQuery
    let work: Work

    public static func projection(_ projection: some Projection, in store: any ReadModelStore) -> EventConsumer {
        EventConsumer(name: projection.name, query: projection.query, work: .projection(projection, store))
    }

    public static func policy(_ policy: some Policy, in store: any CheckpointStore) -> EventConsumer {
        EventConsumer(name: policy.name, query: policy.query, work: .policy(policy, store))
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
