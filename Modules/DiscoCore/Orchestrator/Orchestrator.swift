/// Runs commands and queries, by name or by type.
///
/// ```swift
/// let orchestrator = Orchestrator(client: client, aggregates: [Wallet.self])
/// try await orchestrator.dispatch("create_wallet", ["user_id": "13bb…", "balance": 100])  // JSON in, JSON out
/// try await orchestrator.dispatch(CreateWallet(userID: user, balance: 100)).state         // typed
/// ```
///
/// Programmer errors trap at startup with a message that says what to do: two commands or two queries with one name,
/// two aggregates with one category, events that would not be found again.
public struct Orchestrator: Sendable {
    public struct Settings: Sendable {
        /// How often a command is decided before the caller gets a conflict. If two processes write one aggregate at
        /// full speed, the one that waits for the store loses about three times in four: 20 attempts proved too few.
        public var attempts = 100
        /// How many aggregates of each kind stay in memory; 0 reads each one from the store every time.
        public var cachedAggregates = 10_000

        public init() {}
    }

    typealias CommandByName = @Sendable (JSON, Orchestrator) -> IncomingCommand
    typealias QueryByName = @Sendable (JSON, Position?, Duration, Orchestrator) async throws -> JSON

    /// The clock, ids and logger of the store.
    public var context: StoreContext { client.context }

    let client: EventStoreClient
    let settings: Settings
    let chain: MiddlewareChain
    let decisions: DecisionHost
    private(set) var actions: ActionHost
    private(set) var hosts = AggregateHosts()
    private(set) var commandsByName: [String: CommandByName] = [:]
    private(set) var queriesByName: [String: QueryByName] = [:]
    /// Found only on request, because reading a shape takes longer than registering a command.
    private(set) var commandFields: [String: @Sendable () -> RequestFields] = [:]
    private(set) var queryFields: [String: @Sendable () -> RequestFields] = [:]
    private(set) var readModels: [ObjectIdentifier: ReadModel] = [:]
    private(set) var consumers: [String: any CheckpointStore] = [:]
    /// The name of the aggregate of each category.
    private var categories: [String: String] = [:]

    /// - Parameters:
    ///   - client: records and reads the events.
    ///   - aggregates: the aggregates whose commands can be dispatched.
    ///   - decisions: the commands that are decided on a model, so that they can be dispatched by name.
    ///   - commands: the actions.
    ///   - readModels: the read models, with the queries that read them and the consumers that write them.
    ///   - queries: the queries that read no read model.
    ///   - middleware: wraps every dispatch and query; the first is the outermost.
    ///   - settings: the size of the cache and the number of attempts.
    public init(
        client: EventStoreClient, aggregates: [any Aggregate.Type] = [], decisions: [any ModelCommand.Type] = [],
        commands: [any ActionCommand.Type] = [], readModels: [ReadModel] = [], queries: [any Query.Type] = [],
        middleware: [any Middleware] = [], settings: Settings = Settings()
    ) {
        self.client = client
        self.settings = settings
        self.decisions = DecisionHost(client: client, attempts: settings.attempts)
        actions = ActionHost(client: client, attempts: settings.attempts, hosts: hosts)
        chain = MiddlewareChain(middleware: middleware)
        for aggregate in aggregates { add(aggregate) }
        actions = ActionHost(client: client, attempts: settings.attempts, hosts: hosts)
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

    /// Only objects can be told apart.
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
            hosts[aggregate] == nil, "\(aggregate) is listed twice. List each aggregate once.")
        let category = State.category
        precondition(
            StreamID.isCategory(category) && category.utf8.count <= 255,
            "The category of \(aggregate) is \"\(category)\". Give it a static `category` of letters, digits, _ and .")
        if let other = categories.updateValue("\(aggregate)", forKey: category) {
            preconditionFailure(
                "\(other) and \(aggregate) have the category \(category). Give one of them another static `category`.")
        }
        Self.check(State.Event.self)
        let host = AggregateHost<State>(client: client, settings: settings)
        hosts[aggregate] = host
        for command in State.commands { add(command, host) }
    }

    private mutating func add<State: Aggregate, C: AggregateCommand<State>>(
        _ command: C.Type, _ host: AggregateHost<State>
    ) {
        register(command) { command in
            command.target.id.map(State.streamID)
        } decide: { _ in
            host.dispatch
        }
    }

    private static func check<Event: DomainEvent>(_ events: Event.Type) {
        let problems = EventTypes.of(events).problems
        precondition(problems.isEmpty, problems.joined(separator: "\n"))
    }

    private mutating func add<C: ModelCommand>(_ command: C.Type) {
        Self.check(C.Model.Event.self)
        register(command) { _ in
            nil
        } decide: {
            $0.decisions.dispatch
        }
    }

    private mutating func add<C: ActionCommand>(_ command: C.Type) {
        register(command) { _ in
            nil
        } decide: {
            $0.actions.dispatch
        }
    }

    /// Erases a command where its type is known.
    private mutating func register<C: Command, Output: Encodable>(
        _ command: C.Type, lane: @escaping @Sendable (C) -> StreamID?,
        decide: @escaping @Sendable (Orchestrator) -> @Sendable (C, Call) async throws -> Dispatched<Output>
    ) {
        precondition(
            commandsByName[C.name] == nil, "Two commands are named \(C.name). Give one of them another static `name`.")
        commandFields[C.name] = { RequestFields(of: command, output: Output.self) }
        commandsByName[C.name] = { fields, orchestrator in
            let incoming = Incoming<C>(fields: fields)
            return IncomingCommand(lane: incoming.value.flatMap(lane)) { options in
                try await orchestrator.carryOut(incoming, options, decide(orchestrator)).encoded()
            }
        }
    }

    private mutating func add<Q: Query>(_ query: Q.Type, _ model: ReadModel?) {
        precondition(
            queriesByName[Q.name] == nil, "Two queries are named \(Q.name). Give one of them another static `name`.")
        readModels[ObjectIdentifier(query)] = model
        queryFields[Q.name] = { RequestFields(of: query, output: Q.Output.self) }
        queriesByName[Q.name] = { fields, position, limit, orchestrator in
            try await JSON(
                encoding: orchestrator.answer(Incoming<Q>(fields: fields), after: position, within: limit))
        }
    }
}
