import Foundation

/// Knows all commands and queries, and carries them out by name or by type.
///
/// ```swift
/// let orchestrator = Orchestrator(client: client, aggregates: [Wallet.self])
/// try await orchestrator.dispatch("create_wallet", ["user_id": "13bb…", "balance": 100])  // JSON in, JSON out
/// try await orchestrator.dispatch(CreateWallet(userID: user, balance: 100)).state         // typed
/// ```
///
/// Two commands or two queries of one name are a mistake in the program, and stop it at start.
public struct Orchestrator: Sendable {
    public struct Settings: Sendable {
        /// How often a command is decided before a conflict is handed to the caller. Of two processes that write one aggregate
        /// flat out, the one that waits for the store loses about three times in four: 20 attempts were seen not to suffice.
        public var attempts = 100
        /// How many aggregates of each kind stay in memory; 0 reads every one from the store each time.
        public var cachedAggregates = 10_000

        public init() {}
    }

    private typealias CommandByName = @Sendable (JSON, Metadata) async throws -> JSON
    private typealias QueryByName = @Sendable (JSON) async throws -> JSON

    private let client: EventStoreClient
    private let settings: Settings
    private var hosts: [ObjectIdentifier: any Sendable] = [:]
    private var commandsByName: [String: CommandByName] = [:]
    private var queriesByName: [String: QueryByName] = [:]
    private var queryStores: [ObjectIdentifier: any ReadModelStore] = [:]

    public init(
        client: EventStoreClient, aggregates: [any Aggregate.Type] = [], commands: [any ActionCommand.Type] = [],
        readModels: [ReadModel] = [], queries: [any Query.Type] = [], settings: Settings = Settings()
    ) {
        self.client = client
        self.settings = settings
        for aggregate in aggregates { add(aggregate) }
        for command in commands { add(command) }
        for model in readModels {
            for query in model.queries { add(query, model.store) }
        }
        for query in queries { add(query, nil) }
    }

    /// The names of all commands, sorted.
    public func commands() -> [String] { commandsByName.keys.sorted() }

    /// The names of all queries, sorted.
    public func queries() -> [String] { queriesByName.keys.sorted() }

    /// Carries out a command by name; the answer is the aggregate's state, or what an action answers.
    ///
    /// - Throws: ``DispatchError``, ``ValidationError``, or the command's own refusal; ``JSON/init(describing:)`` turns
    ///   any of them into JSON.
    @discardableResult
    public func dispatch(_ name: String, _ fields: JSON, metadata: Metadata = .none) async throws -> JSON {
        guard let command = commandsByName[name] else {
            throw DispatchError.unknownCommand(name, known: commands())
        }
        return try await command(fields, metadata)
    }

    /// Carries out a command of an aggregate.
    @discardableResult
    public func dispatch<C: AggregateCommand>(
        _ command: C, metadata: Metadata = .none
    ) async throws -> Dispatched<C.State> {
        guard let host = hosts[ObjectIdentifier(C.State.self)] as? AggregateHost<C.State> else {
            throw DispatchError.unknownCommand(C.name, known: commands())
        }
        return try await host.dispatch(command, metadata: metadata.withIDs())
    }

    /// Carries out an action, again from its beginning where what it read has changed before it could append.
    @discardableResult
    public func dispatch<C: ActionCommand>(_ command: C, metadata: Metadata = .none) async throws -> C.Output {
        try command.validated()
        let context = ActionContext(client: client, metadata: metadata.withIDs(), hosts: hosts)
        var attempt = 1
        while true {
            do {
                return try await command.run(in: context)
            } catch is VersionConflict where attempt < settings.attempts {
                attempt += 1
            }
        }
    }

    /// Answers a query by name.
    public func query(_ name: String, _ fields: JSON = [:]) async throws -> JSON {
        guard let query = queriesByName[name] else { throw DispatchError.unknownQuery(name, known: queries()) }
        return try await query(fields)
    }

    /// Answers a query.
    public func query<Q: Query>(_ query: Q) async throws -> Q.Output {
        try query.validated()
        return try await query.run(in: QueryContext(client: client, store: queryStores[ObjectIdentifier(Q.self)]))
    }

    private mutating func add<State: Aggregate>(_ aggregate: State.Type) {
        precondition(
            hosts[ObjectIdentifier(aggregate)] == nil, "\(aggregate) is listed twice. List each aggregate once.")
        hosts[ObjectIdentifier(aggregate)] = AggregateHost<State>(client: client, settings: settings)
        for command in State.commands { add(command) }
    }

    private mutating func add<State: Aggregate, C: AggregateCommand<State>>(_ command: C.Type) {
        let host = hosts[ObjectIdentifier(State.self)] as? AggregateHost<State>
        register(C.name) { fields, metadata in
            let command = try C(validating: fields)
            guard let host else { throw DispatchError.unknownCommand(C.name, known: []) }
            return try JSON(encoding: await host.dispatch(command, metadata: metadata.withIDs()).state)
        }
    }

    private mutating func add<C: ActionCommand>(_ command: C.Type) {
        let orchestrator = self
        register(C.name) { fields, metadata in
            try JSON(encoding: await orchestrator.dispatch(try C(validating: fields), metadata: metadata))
        }
    }

    private mutating func register(_ name: String, _ command: @escaping CommandByName) {
        precondition(
            commandsByName[name] == nil, "Two commands are named \(name). Give one of them another static `name`.")
        commandsByName[name] = command
    }

    private mutating func add<Q: Query>(_ query: Q.Type, _ store: (any ReadModelStore)?) {
        precondition(
            queriesByName[Q.name] == nil, "Two queries are named \(Q.name). Give one of them another static `name`.")
        queryStores[ObjectIdentifier(query)] = store
        let context = QueryContext(client: client, store: store)
        queriesByName[Q.name] = { fields in
            try JSON(encoding: await Q(validating: fields).run(in: context))
        }
    }
}

extension Metadata {
    /// With the ids that every recorded event gets.
    fileprivate func withIDs() -> Metadata {
        var metadata = self
        let id = UUID.timeOrdered()
        metadata.correlationID = correlationID ?? id
        metadata.causationID = causationID ?? id
        return metadata
    }
}
