/// All upcasters of a client, by the events they convert.
struct Upcasters: Sendable {
    private struct Key: Hashable {
        var type: ExactText
        var version: Int

        init(_ type: String, _ version: Int) {
            self.type = ExactText(type)
            self.version = version
        }
    }

    private let byKey: [Key: Upcaster]
    /// For each type, the other types that upcasters convert to it, which a query for it must include.
    private let sources: [ExactText: [String]]

    init(_ upcasters: [Upcaster]) {
        var byKey: [Key: Upcaster] = [:]
        for upcaster in upcasters {
            let taken = byKey.updateValue(upcaster, forKey: Key(upcaster.type, upcaster.typeVersion))
            precondition(
                taken == nil,
                "Two upcasters convert \(upcaster.type), version \(upcaster.typeVersion). Chain them, or remove one.")
        }
        self.byKey = byKey
        var sources: [ExactText: [String]] = [:]
        for upcaster in upcasters {
            var reached: [String] = []
            var next = upcaster.types
            while let type = next.popLast() {
                guard !reached.contains(where: { ExactText.areEqual($0, type) }) else { continue }
                reached.append(type)
                next += upcasters.filter { ExactText.areEqual($0.type, type) }.flatMap(\.types)
            }
            for type in reached where !ExactText.areEqual(type, upcaster.type) {
                if sources[ExactText(type)]?.contains(upcaster.type) != true {
                    sources[ExactText(type), default: []].append(upcaster.type)
                }
            }
        }
        self.sources = sources
    }

    /// Widens a query to everything that upcasters may convert to what it selects.
    func widened(_ query: EventQuery) -> EventQuery {
        if sources.isEmpty { return query }
        var wide = query
        for index in wide.items.indices {
            wide.items[index].types += query.items[index].types.flatMap { sources[ExactText($0)] ?? [] }
        }
        // Wider than a store accepts: select every type, because what is read is matched against the query in any case.
        if wide.names > EventQuery.mostNames {
            for index in wide.items.indices where wide.items[index].types.count > query.items[index].types.count {
                wide.items[index].types = []
            }
        }
        return wide
    }

    func turns(_ type: String, _ version: Int) -> Bool { byKey[Key(type, version)] != nil }

    /// Converts an event to its current meaning.
    func upcast(_ event: RecordedEvent) throws -> [RecordedEvent] {
        guard turns(event.type, event.typeVersion) else { return [event] }
        do {
            return try upcast(
                Upcaster.Event(event.type, version: event.typeVersion, try event.payload.value()), depth: 0
            ).map(event.seen)
        } catch {
            throw UndecodableEvent(
                position: event.position, stream: event.stream, type: event.type, expected: "the input of its upcaster",
                reason: error)
        }
    }

    func upcast(_ event: Upcaster.Event, depth: Int = 0) throws -> [Upcaster.Event] {
        guard let upcaster = byKey[Key(event.type, event.typeVersion)] else { return [event] }
        guard depth < 100 else {
            throw EventStoreError(
                .unsupported, "The upcasters of \(event.type) form a cycle: one leads back to another.")
        }
        return try upcaster.upcast(event.payload).flatMap { new in
            guard upcaster.types.contains(where: { ExactText.areEqual($0, new.type) }) else {
                throw EventStoreError(
                    .unsupported,
                    "The upcaster of \(upcaster.type) returned the type \(new.type), which is not in `into`. Add it.")
            }
            return try upcast(new, depth: depth + 1)
        }
    }
}

extension RecordedEvent {
    /// The type of an event that no longer means anything.
    static let dropped = "$dropped"

    /// The same event in another shape.
    func seen(as event: Upcaster.Event) -> RecordedEvent {
        RecordedEvent(
            position: position, stream: stream, version: version, id: id, type: event.type,
            typeVersion: event.typeVersion, payload: JSONText(event.payload), metadata: metadata, tags: tags,
            recordedAt: recordedAt)
    }

    package func at(_ position: Position) -> RecordedEvent {
        RecordedEvent(
            position: position, stream: stream, version: version, id: id, type: type, typeVersion: typeVersion,
            payload: payload, metadata: metadata, tags: tags, recordedAt: recordedAt)
    }
}
