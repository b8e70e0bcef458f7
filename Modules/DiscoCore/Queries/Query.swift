public import Foundation

/// A question to a read model, or to the events themselves.
public protocol Query: NamedRequest {
    associatedtype Output: Encodable & Sendable
    func run(in context: QueryContext) async throws -> Output
}

/// What a query can read.
public struct QueryContext: Sendable {
    public let client: EventStoreClient
    private let query: String
    private let store: (any ReadModelStore)?

    init(_ query: String, client: EventStoreClient, store: (any ReadModelStore)?) {
        self.query = query
        self.client = client
        self.store = store
    }

    /// The current time; tests can set it.
    public var now: Date { client.context.now() }

    /// Reads the read model that the query was registered with.
    ///
    /// - Throws: ``DispatchError/noReadModel(_:)`` if the query was registered without one, or whatever reading throws.
    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Result
    ) async throws -> Result {
        guard let store else { throw DispatchError.noReadModel(query) }
        return try await store.read(body)
    }
}

/// Queries, the store they are answered from, and the consumers that keep it up to date.
public struct ReadModel: Sendable {
    public let queries: [any Query.Type]
    public let store: any ReadModelStore
    /// The names of the consumers, so that callers can wait until they have passed an event.
    public let consumers: [String]

    public init(queries: [any Query.Type], store: any ReadModelStore, consumers: [String] = []) {
        self.queries = queries
        self.store = store
        self.consumers = consumers
    }
}
