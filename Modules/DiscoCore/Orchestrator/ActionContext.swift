public import Foundation

/// What an ``ActionCommand`` can do.
public struct ActionContext: Sendable {
    public let client: EventStoreClient
    /// Goes on every event that is appended here.
    public let metadata: Metadata
    let hosts: AggregateHosts
    let key: IdempotencyKey?
    /// What was appended here.
    let appended = Locked<[Appended]>([])

    var hasAppendedNothing: Bool { appended.withLock { $0.isEmpty } }

    /// The time of day; tests set it.
    public var now: Date { client.context.now() }

    /// An aggregate as it is recorded now; ``Loaded/exists`` says whether it does.
    public func load<State: Aggregate>(_ type: State.Type, _ id: State.ID) async throws -> Loaded<State> {
        // What is cached is read on from there, so it is never older than what is recorded.
        if let host = hosts[type] { return try await host.current(id) }
        var loaded = Loaded<State>(id: id)
        try await client.readOn(&loaded)
        return loaded
    }

    /// An aggregate as it was at one version of its stream: for ``ActionCommand/repeated(_:in:)``.
    public func load<State: Aggregate>(
        _ type: State.Type, _ id: State.ID, version: Int
    ) async throws -> Loaded<State> {
        var loaded = Loaded<State>(id: id)
        try await client.readOn(&loaded, to: version)
        return loaded
    }

    /// Records the events of several aggregates at once, each if it is still at the version that was loaded.
    ///
    /// Where one is not, the command is run again from its beginning, unless it has appended before: then the conflict
    /// is its caller's. Under an idempotency key a command appends once: the key stands for that append.
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
                    "Under an idempotency key a command appends once. Put everything into one append, or dispatch without a key."
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

/// Another dispatch under the same key was first.
struct RecordedBefore: Error {
    let appended: Appended
}

/// Events for one aggregate, made by ``Loaded/recording(_:)``.
public struct Recording: Sendable {
    let stream: StreamID
    let version: Int
    let events: @Sendable (Metadata) throws -> [NewEvent]
}
