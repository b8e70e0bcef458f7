import Foundation

extension Append {
    /// Refuses names, tags and payloads that no store accepts. Every store calls this before it does anything else.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidAppend``, or ``DuplicateEvent``.
    public func check() throws {
        let names = NameCheck.append
        var ids: Set<UUID> = []
        for event in events {
            guard ids.insert(event.id).inserted else { throw DuplicateEvent(id: event.id) }
            try names.check(event.stream)
            try names.check(type: event.type)
            for tag in event.tags { try names.check(tag: tag) }
            guard NewEvent.typeVersions.contains(event.typeVersion) else {
                throw EventStoreError(
                    .invalidAppend,
                    "The version of the event type \(event.type) is \(event.typeVersion). "
                        + "It must be from \(NewEvent.typeVersions.lowerBound) to \(NewEvent.typeVersions.upperBound).")
            }
            do {
                try event.payload.check()
            } catch {
                throw EventStoreError(.invalidAppend, "The payload of an event of type \(event.type) is \(error).")
            }
            try Self.check(event.metadata)
        }
        for stream in expect.keys { try names.check(stream) }
        if let condition { try names.check(condition.query) }
        if let key { try names.check(key) }
    }

    static func check(type: String) throws { try NameCheck.append.check(type: type) }

    private static func check(_ metadata: Metadata) throws {
        guard let values = metadata.values else { return }
        let object: JSON.Object?
        do {
            object = try values.value().object
        } catch {
            throw EventStoreError(.invalidAppend, "The metadata of an event is \(error).")
        }
        guard let object else {
            throw EventStoreError(.invalidAppend, "Metadata must be a JSON object, not \(values.string.cut(to: 80)).")
        }
        for name in object.names where name != Metadata.traceName {
            try NameCheck.append.check(name, "metadata key", most: 255)
        }
    }
}
