public import Foundation

/// What an ``ActionCommand`` can do.
public struct ActionContext: Sendable {
    public let client: EventStoreClient
    /// Recorded with every event that is appended here.
    public let metadata: Metadata
    let hosts: AggregateHosts
    let key: IdempotencyKey?
    /// What was appended here.
    let appended = Locked<[Appended]>([])

    var hasAppendedNothing: Bool { appended.withLock { $0.isEmpty } }

    /// The current time; tests can set it.
    public var now: Date { client.context.now() }

    /// Loads an aggregate as currently recorded; ``Loaded/exists`` says whether it exists.
    public func load<State: Aggregate>(_ type: State.Type, _ id: State.ID) async throws -> Loaded<State> {
        // A cached state is brought up to date from the store, so it is never older than what is recorded.
        if let host = hosts[type] { return try await host.current(id) }
        var loaded = Loaded<State>(id: id)
        try await client.readOn(&loaded)
        return loaded
    }

    /// Loads an aggregate as it was at one version of its stream: for ``ActionCommand/repeated(_:in:)``.
    public func load<State: Aggregate>(
        _ type: State.Type, _ id: State.ID, version: Int
    ) async throws -> Loaded<State> {
        var loaded = Loaded<State>(id: id)
        try await client.readOn(&loaded, to: version)
        return loaded
    }

    /// Records the events of several aggregates in one append, if each is still at the version that was loaded.
    ///
    /// Otherwise the command runs again from the start, unless it has already appended: then its caller gets the
    /// conflict. A command with an idempotency key can append only once: the key identifies that append.
    @discardableResult
    public func append(_ recordings: [Recording]) async throws -> Appended {
        try await append(
            Append(
                try recordings.flatMap { try $0.events(metadata) },
                expect: Dictionary(
                    recordings.map { ($0.stream, .exactly($0.version)) }, uniquingKeysWith: { first, _ in first })))
    }

    private func append(_ append: Append) async throws -> Appended {
        var append = append
        if let key {
            guard hasAppendedNothing else {
                throw EventStoreError(
                    .invalidAppend,
                    "A command with an idempotency key can append only once. Put everything into one append, or dispatch without a key."
                )
            }
            append.key = key
        }
        let appended = try await client.appendSurely(append)
        if appended.isOfAnother(than: append) { throw RecordedBefore(appended: appended) }
        self.appended.withLock { $0.append(appended) }
        return appended
    }
}

/// Another dispatch under the same key came first.
struct RecordedBefore: Error {
    let appended: Appended
}

/// Events for one aggregate, made by ``Loaded/recording(_:)``.
public struct Recording: Sendable {
    let stream: StreamID
    let version: Int
    let events: @Sendable (Metadata) throws -> [NewEvent]
}
