public import Logging

/// Knows all commands and queries, and carries them out by name or by type.
///
/// ```swift
/// let orchestrator = Orchestrator(client: client, aggregates: [Wallet.self])
/// try await orchestrator.dispatch("create_wallet", ["user_id": "13bb…", "balance": 100])  // JSON in, JSON out
/// try await orchestrator.dispatch(CreateWallet(userID: user, balance: 100)).state         // typed
/// ```
///
/// It traps at startup, with a sentence that says what to do, where the program is wrong: two commands or two queries of
/// one name, two aggregates of one category, events that would not be found again.
public struct Orchestrator: Sendable {
    public struct Settings: Sendable {
        /// How often a command is decided before a conflict is handed to the caller. Of two processes that write one
        /// aggregate flat out, the one that waits for the store loses about three times in four: 20 attempts were seen
        /// not to suffice.
        public var attempts = 100
        /// How many aggregates of each kind stay in memory; 0 reads every one from the store each time.
        public var cachedAggregates = 10_000
        /// Where it is said that a snapshot was ignored or could not be kept.
        public var logger: Logger?

        public init() {}
    }

    typealias CommandByName = @Sendable (JSON, Options, Orchestrator) async throws -> Answer
    typealias QueryByName = @Sendable (JSON, Position?, Duration, Orchestrator) async throws -> JSON

    /// What a dispatch by name comes with, beside the fields.
    struct Options: Sendable {
        var metadata: Metadata
        var key: String?
        var consumers: [String]
        var limit: Duration
    }

    let client: EventStoreClient
    let settings: Settings
    let chain: MiddlewareChain
    let decisions: DecisionHost
    private(set) var hosts: [ObjectIdentifier: any Sendable] = [:]
    private(set) var commandsByName: [String: CommandByName] = [:]
    /// By the name of a command: the stream of the aggregate that it is for.
    private(set) var lanes: [String: @Sendable (JSON) -> StreamID?] = [:]
    private(set) var queriesByName: [String: QueryByName] = [:]
    private(set) var readModels: [ObjectIdentifier: ReadModel] = [:]
    private(set) var consumers: [String: any CheckpointStore] = [:]
    /// By category: the name of the aggregate whose streams are of it.
    private var categories: [String: String] = [:]

    /// - Parameter middleware: what stands around every dispatch and query, the first of them outermost.
    public init(
        client: EventStoreClient, aggregates: [any Aggregate.Type] = [], decisions: [any DecisionCommand.Type] = [],
        commands: [any ActionCommand.Type] = [], readModels: [ReadModel] = [], queries: [any Query.Type] = [],
        middleware: [any Middleware] = [], settings: Settings = Settings()
    ) {
        self.client = client
        self.settings = settings
        self.decisions = DecisionHost(client: client, attempts: settings.attempts)
        chain = MiddlewareChain(middleware: middleware)
        for aggregate in aggregates { add(aggregate) }
        for command in decisions { add(command) }
        for command in commands { add(command) }
        for model in readModels {
            for query in model.queries { add(query, model) }
            for consumer in model.consumers {
                precondition(
                    consumers[consumer].map { Self.mayBeOne($0, model.store) } ?? true,
                    "Two read models in different stores name \(consumer). A consumer has one checkpoint, in one store."
                )
                consumers[consumer] = model.store
            }
        }
        for query in queries { add(query, nil) }
    }

    /// Only of objects it can be told.
    private static func mayBeOne(_ one: any CheckpointStore, _ other: any CheckpointStore) -> Bool {
        guard type(of: one) is AnyClass, type(of: other) is AnyClass else { return true }
        return (one as AnyObject) === (other as AnyObject)
    }

    /// The names of all commands, sorted.
    public func commands() -> [String] { commandsByName.keys.sorted() }

    /// The names of all queries, sorted.
    public func queries() -> [String] { queriesByName.keys.sorted() }

    private mutating func add<State: Aggregate>(_ aggregate: State.Type) {
        precondition(
            hosts[ObjectIdentifier(aggregate)] == nil, "\(aggregate) is listed twice. List each aggregate once.")
        let category = State.category
        precondition(
            StreamID.isCategory(category) && category.utf8.count <= 255,
            "The category of \(aggregate) is \"\(category)\". Give it a static `category` of letters, digits, _ and .")
        if let other = categories.updateValue("\(aggregate)", forKey: category) {
            preconditionFailure(
                "\(other) and \(aggregate) have the category \(category). Give one of them another static `category`.")
        }
        Self.check(State.Event.self)
        hosts[ObjectIdentifier(aggregate)] = AggregateHost<State>(client: client, settings: settings)
        for command in State.commands { add(command) }
    }

    private mutating func add<State: Aggregate, C: AggregateCommand<State>>(_ command: C.Type) {
        lanes[C.name] = { fields in (try? fields.decode(C.self))?.target.id.map(State.streamID) }
        register(command) { command, options, orchestrator in
            let dispatched = try await orchestrator.carryOut(command, options)
            return try Answer(
                encoding: dispatched.state, position: dispatched.position, repeated: dispatched.repeated,
                behind: dispatched.behind)
        }
    }

    private static func check<Event: DomainEvent>(_ events: Event.Type) {
        let problems = EventTypes.of(events).problems
        precondition(problems.isEmpty, problems.joined(separator: "\n"))
    }

    private mutating func add<C: DecisionCommand>(_ command: C.Type) {
        Self.check(C.Model.Event.self)
        register(command) { command, options, orchestrator in
            let decided = try await orchestrator.carryOut(command, options)
            return try Answer(
                encoding: decided.model, position: decided.position, repeated: decided.repeated, behind: decided.behind)
        }
    }

    private mutating func add<C: ActionCommand>(_ command: C.Type) {
        register(command) { command, options, orchestrator in
            let performed = try await orchestrator.carryOut(command, options)
            return try Answer(
                encoding: performed.output, position: performed.position, repeated: performed.repeated,
                behind: performed.behind)
        }
    }

    private mutating func register<C: Command>(
        _ command: C.Type,
        _ carryOut: @escaping @Sendable (Incoming<C>, Options, Orchestrator) async throws -> Answer
    ) {
        precondition(
            commandsByName[C.name] == nil, "Two commands are named \(C.name). Give one of them another static `name`.")
        commandsByName[C.name] = { fields, options, orchestrator in
            try await carryOut(Incoming(fields: fields), options, orchestrator)
        }
    }

    private mutating func add<Q: Query>(_ query: Q.Type, _ model: ReadModel?) {
        precondition(
            queriesByName[Q.name] == nil, "Two queries are named \(Q.name). Give one of them another static `name`.")
        readModels[ObjectIdentifier(query)] = model
        queriesByName[Q.name] = { fields, position, limit, orchestrator in
            try await JSON(
                encoding: orchestrator.answer(Incoming<Q>(fields: fields), after: position, within: limit))
        }
    }
}

/// A command or query as it came in: of its type, or as fields that may not make one.
struct Incoming<R: NamedRequest>: Sendable {
    private let request: Result<R, any Error>

    init(_ request: R) { self.request = Result { try request.validated() }.map { request } }
    init(fields: JSON) { request = Result { try R(validating: fields) } }

    var value: R? { try? request.get() }

    /// - Throws: ``ValidationError``.
    func valid() throws -> R { try request.get() }
}
