/// A question to a read model, or to the events themselves.
public protocol Query: Request {
    associatedtype Output: Encodable & Sendable
    func run(in context: QueryContext) async throws -> Output
}

/// What a query can ask.
public struct QueryContext: Sendable {
    public let client: EventStoreClient
    private let store: (any ReadModelStore)?

    init(client: EventStoreClient, store: (any ReadModelStore)?) {
        self.client = client
        self.store = store
    }

    /// Reads the read model that the query was registered with.
    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (SQLTransaction) throws -> Result
    ) async throws -> Result {
        guard let store else {
            preconditionFailure("This query was registered without a read model. List it in ReadModel(queries:store:).")
        }
        return try await store.read(body)
    }
}

/// Queries and the store they are answered from.
public struct ReadModel: Sendable {
    public let queries: [any Query.Type]
    public let store: any ReadModelStore

    public init(queries: [any Query.Type], store: any ReadModelStore) {
        self.queries = queries
        self.store = store
    }
}
