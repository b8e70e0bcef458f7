/// Dispatches commands that are decided on models.
final class DecisionHost: Sendable {
    private let client: EventStoreClient
    private let attempts: Int
    /// Runs commands that query the same events one after the other, so that they do not conflict.
    private let queue = KeyedQueue<ExactText>()

    init(client: EventStoreClient, attempts: Int) {
        self.client = client
        self.attempts = attempts
    }

    func dispatch<C: ModelCommand>(_ command: C, _ call: Call) async throws -> Dispatched<C.Model> {
        let key = try call.key.map { try IdempotencyKey($0, for: command) }
        if let first = try await recorded(under: key, command) { return first }
        // All commands use the same order, so that no two wait for each other.
        let items = Set(command.query.items.map { ExactText($0.text) })
            .sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
        return try await queue.run(items[...]) { try await decide(command, key, call.metadata) }
    }

    private func decide<C: ModelCommand>(
        _ command: C, _ key: IdempotencyKey?, _ metadata: Metadata
    ) async throws -> Dispatched<C.Model> {
        var model = command.model
        var through = try await client.fold(command.query, after: .start, into: &model)
        var conflicts = 0
        while true {
            let events: [C.Model.Event]
            do {
                events = try command.run(on: model, at: client.context.now())
            } catch {
                // The first run of this command may be what made it fail.
                if let first = try await recorded(under: key, command) { return first }
                throw error
            }
            if events.isEmpty, key == nil {
                return Dispatched(model, conflicts: conflicts)
            }
            let append = Append(
                try events.map { try Self.new($0, in: command.stream(of: $0), metadata) },
                condition: AppendCondition(noneMatch: command.query, after: through), key: key)
            do {
                let appended = try await client.appendSurely(append)
                if appended.isOfAnother(than: append) { return try await replay(appended, command) }
                for event in events { model.apply(event) }
                return Dispatched(model, decided: events, appended: [appended], conflicts: conflicts)
            } catch is ConditionFailed where conflicts + 1 < attempts {
                conflicts += 1
                through = try await client.fold(command.query, after: through, into: &model)
            }
        }
    }

    private func recorded<C: ModelCommand>(
        under key: IdempotencyKey?, _ command: C
    ) async throws -> Dispatched<C.Model>? {
        guard let key, let appended = try await client.recorded(under: key) else { return nil }
        return try await replay(appended, command)
    }

    /// Rebuilds the first result.
    @concurrent private func replay<C: ModelCommand>(_ appended: Appended, _ command: C) async throws -> Dispatched<
        C.Model
    > {
        var model = command.model
        guard let positions = appended.positions else {
            // There was nothing to record, so only the current model can be returned.
            try await client.fold(command.query, after: .start, into: &model)
            return Dispatched(model, appended: [appended], repeated: true)
        }
        let before = Position(rawValue: positions.lowerBound.rawValue - 1)
        try await client.fold(command.query, after: .start, upTo: before, into: &model)
        var events: [C.Model.Event] = []
        // Apply its own events whether its query selects them or not, as the first run did.
        for try await event in client.events(.all, after: before, upTo: positions.upperBound) {
            let event = try C.Model.Event(event)
            model.apply(event)
            events.append(event)
        }
        return Dispatched(model, decided: events, appended: [appended], repeated: true)
    }

    private static func new(_ event: some DomainEvent, in stream: StreamID?, _ metadata: Metadata) throws -> NewEvent {
        var new = try event.recorded(in: stream ?? "", metadata: metadata)
        if stream == nil { new.stream = try StreamID(ofItsOwn: new.id, type: new.type) }
        return new
    }
}

extension EventStoreClient {
    /// Folds the events that the query selects, and returns the position up to which the store was read.
    @discardableResult
    @concurrent func fold<Model: DecisionModel>(
        _ query: EventQuery, after position: Position, upTo: Position? = nil, into model: inout Model
    ) async throws -> Position {
        var position = position
        while true {
            let page = try await store.page(Read(query, after: position, upTo: upTo))
            for event in page.events { model.apply(try Model.Event(event)) }
            position = page.through
            if !page.hasMore { return position }
        }
    }
}

extension EventQuery.Item {
    /// Tells items apart by bytes, as the store does.
    fileprivate var text: String {
        "\(types) \(tags.map(\.name)) \(category ?? "") \(stream?.name ?? "")"
    }
}
