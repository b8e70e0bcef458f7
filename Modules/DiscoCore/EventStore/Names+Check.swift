public import Foundation

/// What every text must be like that reaches a database as a name: the one check for appends, reads, deletions, keys and
/// snapshots, on every store.
///
/// A NUL ends a text in one database and is refused by another, so it is refused here, before it is cut off anywhere.
public struct NameCheck: Sendable {
    let code: EventStoreError.Code
    /// Whether names that Disco keeps for itself are refused.
    let refusesReserved: Bool

    /// Of what is to be recorded.
    static let append = NameCheck(code: .invalidAppend, refusesReserved: true)
    /// Of what is asked for or changed.
    public static let argument = NameCheck(code: .invalidArgument, refusesReserved: false)

    /// Checks a name.
    ///
    /// - Parameters:
    ///   - name: the name.
    ///   - what: what the name is of, for the message: `stream name`, for example.
    ///   - most: how many bytes it may have.
    /// - Throws: ``EventStoreError``, like every check here.
    public func check(_ name: String, _ what: String, most: Int) throws {
        guard let fault = fault(of: name, most: most) else { return }
        let shown = name.cut(to: 80)
        let subject = name.isEmpty ? "The \(what)" : "The \(what) \"\(shown)\""
        throw EventStoreError(code, "\(subject) \(fault).")
    }

    /// What is wrong with a name, to complete a sentence that begins with it.
    private func fault(of name: String, most: Int) -> String? {
        let count = name.utf8.count
        if count == 0 { return "is empty" }
        if count > most { return "has \(count) bytes; the most is \(most)" }
        if name.utf8.contains(0) { return "contains a NUL" }
        if refusesReserved, name.utf8.first == UInt8(ascii: "$") { return "begins with $, which is reserved" }
        return nil
    }

    public func check(type: String) throws { try check(type, "event type", most: 255) }
    public func check(tag: EventTag) throws { try check(tag.name, "tag", most: 255) }

    public func check(_ stream: StreamID) throws {
        try check(stream.name, "stream name", most: StreamID.mostBytes)
        guard StreamID.isCategory(stream.category), !stream.id.isEmpty else {
            throw EventStoreError(
                code,
                "The stream name \"\(stream.name.cut(to: 80))\" is not of the form category-id, the category made of letters, digits, _ and ."
            )
        }
    }

    public func check(category: String) throws {
        guard StreamID.isCategory(category) else {
            throw EventStoreError(
                code,
                "The category \"\(category.cut(to: 80))\" is not one: it is made of letters, digits, _ and . and ends before the hyphen."
            )
        }
    }

    /// A name that no event can have is a mistake in the query, which would silently select nothing.
    public func check(_ query: EventQuery) throws {
        guard query.names <= EventQuery.mostNames else {
            throw EventStoreError(
                code,
                "The query names \(query.names) types and tags; the most is \(EventQuery.mostNames). Split it, or select by category."
            )
        }
        for item in query.items {
            for type in item.types { try check(type: type) }
            for tag in item.tags { try check(tag: tag) }
            if let stream = item.stream { try check(stream) }
            if let category = item.category { try check(category: category) }
        }
    }

    /// Of a list of streams.
    public func check(category: String?, prefix: String?, after: StreamID?) throws {
        if let category { try check(category: category) }
        for text in [prefix, after?.name] where text?.utf8.contains(0) == true {
            throw EventStoreError(code, "A name by which streams are listed contains a NUL.")
        }
    }

    /// Refuses a date that is no number.
    public func checked(_ date: Date, _ what: String) throws -> Date {
        if date.timeIntervalSinceReferenceDate.isNaN {
            throw EventStoreError(code, "The \(what) is not a date: its time is NaN.")
        }
        return date
    }

    public func check(consumer: String) throws { try check(consumer, "consumer name", most: 255) }

    public func check(_ key: IdempotencyKey) throws {
        try check(key.key, "idempotency key", most: 255)
        if key.fingerprint.utf8.contains(0) {
            throw EventStoreError(code, "The fingerprint of the idempotency key \"\(key.key)\" contains a NUL.")
        }
    }
}

extension StreamID {
    static let mostBytes = 512

    static func isCategory(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
            }
    }

    /// The stream of one event that belongs to no other.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidAppend`` where the type is no category: with
    ///   a hyphen in it the event would be found in another.
    init(ofItsOwn id: UUID, type: String) throws {
        guard Self.isCategory(type) else {
            throw EventStoreError(
                .invalidAppend,
                "An event of type \"\(type.cut(to: 80))\" has no stream of its own, whose category the type would be: "
                    + "letters, digits, _ and . Name a stream.")
        }
        self.init(category: type, id: id.lowercased)
    }

    /// What is wrong with the id of an aggregate as a part of its stream's name, to complete a sentence that begins with
    /// the field; nil where a store takes it.
    var faultOfID: String? {
        if id.isEmpty { return "must not be empty" }
        if name.utf8.contains(0) { return "must not contain a NUL" }
        let most = Self.mostBytes - category.utf8.count - 1
        return id.utf8.count > most ? "must be at most \(most) bytes long" : nil
    }
}

extension SnapshotKey {
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidArgument``.
    public func check() throws {
        try NameCheck.argument.check(stream)
        for text in [name, fingerprint] where text.utf8.contains(0) {
            throw EventStoreError(.invalidArgument, "The name or fingerprint of a snapshot contains a NUL.")
        }
    }
}
