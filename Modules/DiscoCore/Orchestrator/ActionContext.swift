/// What an ``ActionCommand`` can do.
public struct ActionContext: Sendable {
    public let client: EventStoreClient
    /// Goes on every event that is appended here.
    public let metadata: Metadata
    let hosts: [ObjectIdentifier: any Sendable]

    /// An aggregate as it is recorded now; ``Loaded/exists`` says whether it does.
    public func load<State: Aggregate>(_ type: State.Type, _ id: State.ID) async throws -> Loaded<State> {
        // What is cached is read on from there, so it is never older than what is recorded.
        if let host = hosts[ObjectIdentifier(type)] as? AggregateHost<State> { return try await host.current(id) }
        var loaded = Loaded<State>(id: id)
        try await client.readOn(&loaded)
        return loaded
    }

    /// Records the events of several aggregates at once, each if it is still at the version that was loaded.
    ///
    /// Where one is not, the command is run again from its beginning.
    @discardableResult
    public func append(_ recordings: [Recording]) async throws -> Appended {
        try await client.append(
            Append(
                try recordings.flatMap { try $0.events(metadata) },
                expect: Dictionary(
                    recordings.map { ($0.stream, .exactly($0.version)) }, uniquingKeysWith: { first, _ in first })))
    }
}

/// Events for one aggregate, made by ``Loaded/recording(_:)``.
public struct Recording: Sendable {
    let stream: StreamID
    let version: Int
    let events: @Sendable (Metadata) throws -> [NewEvent]
}
