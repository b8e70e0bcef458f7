/// The hosts of all aggregates, each found by the type of its aggregate.
struct AggregateHosts: Sendable {
    private var byType: [ObjectIdentifier: any Sendable] = [:]

    /// The one place where a host gets its type back: the caller dispatches by type and names it.
    subscript<State: Aggregate>(_ type: State.Type) -> AggregateHost<State>? {
        get { byType[ObjectIdentifier(type)] as? AggregateHost<State> }
        set { byType[ObjectIdentifier(type)] = newValue }
    }
}
