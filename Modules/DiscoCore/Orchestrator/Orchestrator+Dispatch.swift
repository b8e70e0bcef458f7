import Foundation

extension Orchestrator {
    /// Carries out a command by name; the answer is the aggregate's or model's state, or what an action answers.
    ///
    /// - Parameter key: an idempotency key: however often the command is sent under it, it takes effect once.
    /// - Throws: ``DispatchError``, ``ValidationError``, or the command's own refusal; ``JSON/init(describing:)`` turns
    ///   any of them into JSON.
    @discardableResult
    public func dispatch(
        _ name: String, _ fields: JSON, metadata: Metadata = .none, key: String? = nil
    ) async throws -> JSON {
        try await answer(to: name, fields, metadata: metadata, key: key).output
    }

    /// Carries out a command by name; the answer says, beside the state, where it was recorded and who has not heard of
    /// it.
    ///
    /// - Parameters:
    ///   - consumers: the names of consumers that are to have passed what was recorded, so that queries show it.
    ///   - limit: how long to wait for them.
    @discardableResult
    public func answer(
        to name: String, _ fields: JSON, metadata: Metadata = .none, key: String? = nil,
        awaiting consumers: [String] = [], within limit: Duration = .seconds(5)
    ) async throws -> Answer {
        guard let command = commandsByName[name] else {
            throw DispatchError.unknownCommand(name, known: commands())
        }
        return try await command(
            fields, Options(metadata: metadata, key: key, consumers: consumers, limit: limit), self)
    }

    /// Carries out a command of an aggregate.
    ///
    /// - Parameters:
    ///   - key: an idempotency key: however often the command is sent under it, it takes effect once, and each time it
    ///     is answered as it was the first time.
    ///   - consumers: the names of consumers that are to have passed what was recorded, so that queries show it;
    ///     ``Dispatched/behind`` has those that have not.
    ///   - limit: how long to wait for them.
    @discardableResult
    public func dispatch<C: AggregateCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil, awaiting consumers: [String] = [],
        within limit: Duration = .seconds(5)
    ) async throws -> Dispatched<C.State> {
        try await carryOut(
            Incoming(command), Options(metadata: metadata, key: key, consumers: consumers, limit: limit))
    }

    /// Carries out a command that is decided on a model; the parameters are those of the other commands.
    @discardableResult
    public func dispatch<C: DecisionCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil, awaiting consumers: [String] = [],
        within limit: Duration = .seconds(5)
    ) async throws -> Decided<C.Model> {
        try await carryOut(
            Incoming(command), Options(metadata: metadata, key: key, consumers: consumers, limit: limit))
    }

    /// Carries out an action, again from its beginning where what it read has changed before it could append; the
    /// parameters are those of the other commands.
    @discardableResult
    public func dispatch<C: ActionCommand>(
        _ command: C, metadata: Metadata = .none, key: String? = nil, awaiting consumers: [String] = [],
        within limit: Duration = .seconds(5)
    ) async throws -> Performed<C.Output> {
        try await carryOut(
            Incoming(command), Options(metadata: metadata, key: key, consumers: consumers, limit: limit))
    }

    func carryOut<C: AggregateCommand>(_ command: Incoming<C>, _ options: Options) async throws -> Dispatched<C.State> {
        guard let host = hosts[ObjectIdentifier(C.State.self)] as? AggregateHost<C.State> else {
            throw DispatchError.unknownCommand(C.name, known: commands())
        }
        return try await carryOut(command, options) { try await host.dispatch($0, $1) }
    }

    func carryOut<C: DecisionCommand>(_ command: Incoming<C>, _ options: Options) async throws -> Decided<C.Model> {
        try await carryOut(command, options) { try await decisions.dispatch($0, $1) }
    }

    func carryOut<C: ActionCommand>(_ command: Incoming<C>, _ options: Options) async throws -> Performed<C.Output> {
        try await carryOut(command, options) { try await perform($0, $1) }
    }

    /// Through the middleware, and then until the consumers that are to be awaited have passed what was recorded.
    private func carryOut<C: Command, Outcome: AwaitableOutcome>(
        _ command: Incoming<C>, _ options: Options, _ body: @Sendable (C, Call) async throws -> Outcome
    ) async throws -> Outcome {
        // Looked up before anything is recorded.
        let awaited = try stores(of: options.consumers)
        var outcome = try await chain.run(call(command, options)) { call in try await body(try command.valid(), call) }
        if !awaited.isEmpty, !outcome.positions.isEmpty {
            outcome.behind = await client.behind(awaited, at: outcome.positions, within: options.limit)
        }
        return outcome
    }

    private func perform<C: ActionCommand>(_ command: C, _ call: Call) async throws -> Performed<C.Output> {
        let key = try call.key.map { try IdempotencyKey($0, for: command) }
        var attempt = 1
        while true {
            // A new one for each attempt: nothing was appended in it yet.
            let context = ActionContext(client: client, metadata: call.metadata, hosts: hosts, key: key)
            if let key, let first = try await client.recorded(under: key) {
                return try await replay(first, command, call)
            }
            do {
                let output = try await command.run(in: context)
                return Performed(output: output, appended: context.appended.withLock { $0 }, repeated: false)
            } catch let before as RecordedBefore {
                return try await replay(before.appended, command, call)
            } catch is VersionConflict where attempt < settings.attempts && context.appended.withLock({ $0.isEmpty }) {
                attempt += 1
            } catch {
                // What stands against it may be its own first time.
                if let key, context.appended.withLock({ $0.isEmpty }), let first = try await client.recorded(under: key)
                {
                    return try await replay(first, command, call)
                }
                throw error
            }
        }
    }

    private func replay<C: ActionCommand>(
        _ appended: Appended, _ command: C, _ call: Call
    ) async throws -> Performed<C.Output> {
        let context = ActionContext(client: client, metadata: call.metadata, hosts: hosts, key: nil)
        let output = try await command.repeated(appended, in: context)
        return Performed(output: output, appended: [appended], repeated: true)
    }

    private func call<C: Command>(_ command: Incoming<C>, _ options: Options) -> Call {
        let value = command.value
        return Call(
            kind: .command, name: C.name, request: value, metadata: options.metadata.withIDs(),
            key: options.key ?? (value as? any KeyedCommand)?.idempotencyKey)
    }
}

extension Orchestrator {
    /// Answers a query by name.
    ///
    /// - Parameters:
    ///   - position: what the answer must know of: the consumers of the query's read model are waited for until they
    ///     have passed it. A query that reads the events themselves has nobody to wait for.
    ///   - limit: how long to wait.
    /// - Throws: ``ConsumersBehind`` where they were not as far in time.
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
    /// With the ids that every recorded event gets.
    fileprivate func withIDs() -> Metadata {
        var metadata = self
        let id = UUID.timeOrdered()
        metadata.correlationID = correlationID ?? id
        metadata.causationID = causationID ?? id
        return metadata
    }
}
