import Foundation

extension Append {
    /// Refuses names, tags and payloads that no store takes. Every store calls this before it does anything else.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidAppend``, or ``DuplicateEvent``.
    public func check() throws {
        var ids: Set<UUID> = []
        for event in events {
            guard ids.insert(event.id).inserted else { throw DuplicateEvent(id: event.id) }
            try Self.check(event.stream)
            try Self.check(event.type, "event type", most: 255)
            for tag in event.tags { try Self.check(tag.name, "tag", most: 255) }
            do {
                try event.payload.check()
            } catch {
                throw EventStoreError(.invalidAppend, "The payload of an event of type \(event.type) is \(error).")
            }
            try Self.check(event.metadata)
        }
        for stream in expect.keys { try Self.check(stream) }
        if let condition { try condition.query.check() }
        if let key { try Self.check(key: key.key) }
    }

    static func check(key: String) throws { try check(key, "idempotency key", most: 255) }

    private static func check(_ metadata: Metadata) throws {
        guard let values = metadata.values else { return }
        guard let object = try? values.value().object else {
            throw EventStoreError(.invalidAppend, "Metadata must be a JSON object, not \(values.string.prefix(80)).")
        }
        for name in object.names where name != Metadata.traceName { try check(name, "metadata key", most: 255) }
    }

    package static func check(_ stream: StreamID) throws {
        try check(stream.name, "stream name", most: 512)
        guard isCategory(stream.category), !stream.id.isEmpty else {
            throw EventStoreError(
                .invalidAppend,
                "The stream name \"\(stream.name)\" is not of the form category-id, the category made of letters, digits, _ and ."
            )
        }
    }

    fileprivate static func isCategory(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
            }
    }

    fileprivate static func check(_ name: String, _ what: String, most: Int) throws {
        let shown = name.utf8.count > 80 ? name.prefix(60) + "…" : name[...]
        if name.isEmpty { throw EventStoreError(.invalidAppend, "A \(what) is empty.") }
        if name.utf8.first == UInt8(ascii: "$") {
            throw EventStoreError(.invalidAppend, "The \(what) \"\(shown)\" begins with $, which is reserved.")
        }
        if name.utf8.count > most {
            throw EventStoreError(
                .invalidAppend, "The \(what) \"\(shown)\" has \(name.utf8.count) bytes; the most is \(most).")
        }
        if name.utf8.contains(0) { throw EventStoreError(.invalidAppend, "The \(what) \"\(shown)\" contains a NUL.") }
    }
}

extension EventQuery {
    /// A name that no event can have is a mistake in the query, which would silently select nothing.
    fileprivate func check() throws {
        for item in items {
            for type in item.types { try Append.check(type, "event type", most: 255) }
            for tag in item.tags { try Append.check(tag.name, "tag", most: 255) }
            if let stream = item.stream { try Append.check(stream) }
            if let category = item.category, !Append.isCategory(category) {
                throw EventStoreError(
                    .invalidAppend,
                    "The condition's category \"\(category.prefix(80))\" is not one: letters, digits, _ and ., without what follows the hyphen."
                )
            }
        }
    }
}
