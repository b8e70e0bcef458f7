import Foundation

extension Orchestrator {
    /// Dispatches a command by name, with fields and output as JSON; the other parameters are those of a dispatch by
    /// type.
    ///
    /// - Throws: ``DispatchError``, ``ValidationError``, or the command's own refusal; ``JSON/init(describing:)`` turns
    ///   any of them into JSON.
    @discardableResult
    public func dispatch(
        _ name: String, _ fields: JSON, metadata: Metadata = .none, key: String? = nil,
        awaiting consumers: [String] = [], within limit: Duration = .seconds(5)
    ) async throws -> Dispatched<JSON> {
        try await command(name, fields).carryOut(
            DispatchOptions(metadata: metadata, key: key, consumers: consumers, limit: limit))
    }

    /// Dispatches a command of an aggregate.
    ///
    /// - Parameters:
    ///   - command: the command to run.
    ///   - metadata: recorded with the events.
    ///   - key: an idempotency key: however often the command is sent under it, it takes effect once, and every answer
    ///     is that of the first time.
    ///   - consumers: the names of consumers to wait for until they have passed what was recorded, so that queries show
    ///     it; ``Dispatched/behind`` has those that have not.
    ///   - limit: how long to wait for them.
    /// - Throws: ``DispatchError``, ``ValidationError``, what the store throws, or the command's own refusal.
    @discardableResult
    public func dispatch<C: AggregateCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil, awaiting consumers: [String] = [],
        within limit: Duration = .seconds(5)
    ) async throws -> Dispatched<C.State> {
        try await carryOut(
            Incoming(command), DispatchOptions(metadata: metadata, key: key, consumers: consumers, limit: limit),
            try host(of: C.self).dispatch)
    }

    /// Dispatches a command that is decided on a model; the parameters are those of an aggregate's command.
    @discardableResult
    public func dispatch<C: ModelCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil, awaiting consumers: [String] = [],
        within limit: Duration = .seconds(5)
    ) async throws -> Dispatched<C.Model> {
        try await carryOut(
            Incoming(command), DispatchOptions(metadata: metadata, key: key, consumers: consumers, limit: limit),
            decisions.dispatch)
    }

    /// Dispatches an action and runs it again from the start if what it read has changed before it could append; the
    /// parameters are those of an aggregate's command.
    @discardableResult
    public func dispatch<C: ActionCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil, awaiting consumers: [String] = [],
        within limit: Duration = .seconds(5)
    ) async throws -> Dispatched<C.Output> {
        try await carryOut(
            Incoming(command), DispatchOptions(metadata: metadata, key: key, consumers: consumers, limit: limit),
            actions.dispatch)
    }

    /// The path of every command: through the middleware, to its decision, and then until the awaited consumers have
    /// passed what was recorded.
    func carryOut<C: Command, Output>(
        _ command: Incoming<C>, _ options: DispatchOptions,
        _ decide: @Sendable (C, Call) async throws -> Dispatched<Output>
    ) async throws -> Dispatched<Output> {
        // Looked up before anything is recorded.
        let awaited = try stores(of: options.consumers)
        let value = command.value
        let key = options.key ?? (value as? any KeyedCommand)?.idempotencyKey
        if let key, IdempotencyKey.isReserved(key), !options.mayUseReservedKeys { throw IdempotencyKey.unusable }
        let call = Call(
            kind: .command, name: C.name, request: value, metadata: options.metadata.withIDs(client.context.newID),
            key: key)
        var dispatched = try await chain.run(call) { call in try await decide(try command.valid(), call) }
        if !awaited.isEmpty, !dispatched.positions.isEmpty {
            dispatched.behind = await client.behind(awaited, at: dispatched.positions, within: options.limit)
        }
        return dispatched
    }

    /// - Throws: ``DispatchError/unknownCommand(_:known:)`` if the aggregate was not registered.
    func host<C: AggregateCommand>(of command: C.Type) throws -> AggregateHost<C.State> {
        guard let host = hosts[C.State.self] else { throw DispatchError.unknownCommand(C.name, known: commands()) }
        return host
    }

    /// Finds a command by name and decodes its fields.
    ///
    /// - Throws: ``DispatchError/unknownCommand(_:known:)``.
    func command(_ name: String, _ fields: JSON) throws -> IncomingCommand {
        guard let read = commandsByName[name] else { throw DispatchError.unknownCommand(name, known: commands()) }
        return read(fields, self)
    }
}

extension Orchestrator {
    /// Answers a query by name.
    ///
    /// - Parameters:
    ///   - name: the name of the query.
    ///   - fields: its fields, as an object.
    ///   - position: the position that the answer must include: the query waits until the consumers of its read model
    ///     have passed it. A query that reads the events themselves does not wait.
    ///   - limit: how long to wait.
    /// - Throws: ``ConsumersBehind`` if the consumers did not pass it in time.
    public func query(
        _ name: String, _ fields: JSON = [:], after position: Position? = nil, within limit: Duration = .seconds(5)
    ) async throws -> JSON {
        guard let query = queriesByName[name] else { throw DispatchError.unknownQuery(name, known: queries()) }
        return try await query(fields, position, limit, self)
    }

    /// Answers a query; the parameters are those of a query by name.
    public func query<Q: Query>(
        _ query: Q, after position: Position? = nil, within limit: Duration = .seconds(5)
    ) async throws -> Q.Output {
        try await answer(Incoming(query), after: position, within: limit)
    }

    func answer<Q: Query>(
        _ query: Incoming<Q>, after position: Position?, within limit: Duration
    ) async throws -> Q.Output {
        guard queriesByName[Q.name] != nil else { throw DispatchError.unknownQuery(Q.name, known: queries()) }
        let model = readModels[ObjectIdentifier(Q.self)]
        let call = Call(kind: .query, name: Q.name, request: query.value)
        return try await chain.run(call) { _ in
            let query = try query.valid()
            if let position, let model {
                if model.consumers.isEmpty { throw DispatchError.nothingToAwait(Q.name) }
                let consumers = model.consumers.map { (name: $0, store: model.store as any CheckpointStore) }
                let behind = await client.behind(consumers, at: [position...position], within: limit)
                try Task.checkCancellation()
                if !behind.isEmpty { throw ConsumersBehind(position: position, consumers: behind) }
            }
            return try await query.run(in: QueryContext(Q.name, client: client, store: model?.store))
        }
    }
}

extension Orchestrator {
    private func stores(of names: [String]) throws -> [(name: String, store: any CheckpointStore)] {
        try names.map { name in
            guard let store = consumers[name] else {
                throw DispatchError.unknownConsumer(name, known: consumers.keys.sorted())
            }
            return (name, store)
        }
    }
}

extension Metadata {
    /// Adds the ids that every recorded event gets.
    fileprivate func withIDs(_ newID: () -> UUID) -> Metadata {
        if correlationID != nil, causationID != nil { return self }
        var metadata = self
        let id = newID()
        metadata.correlationID = correlationID ?? id
        metadata.causationID = causationID ?? id
        return metadata
    }
}
