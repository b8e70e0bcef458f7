public import Foundation

/// Checks every name that reaches a database: the one check for appends, reads, deletions, keys and snapshots, on every
/// store.
///
/// One database ends a text at a NUL and another refuses it, so it is refused here, before it is cut off anywhere.
public struct NameCheck: Sendable {
    let code: EventStoreError.Code
    /// Whether names reserved for Disco are refused.
    let refusesReserved: Bool

    /// Checks names to be recorded.
    static let append = NameCheck(code: .invalidAppend, refusesReserved: true)
    /// Checks names of what is read or changed.
    public static let argument = NameCheck(code: .invalidArgument, refusesReserved: false)

    /// Checks a name.
    ///
    /// - Parameters:
    ///   - name: the name.
    ///   - what: the kind of name, for the message: for example, `stream name`.
    ///   - most: the maximum number of bytes.
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
        if count > most { return "has \(count) bytes; the maximum is \(most)" }
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
                "The stream name \"\(stream.name.cut(to: 80))\" does not have the form category-id. The category may contain letters, digits, _ and ."
            )
        }
    }

    public func check(category: String) throws {
        guard StreamID.isCategory(category) else {
            throw EventStoreError(
                code,
                "The category \"\(category.cut(to: 80))\" is invalid. Use only letters, digits, _ and . (no hyphen)."
            )
        }
    }

    /// A name that no event can have is an error in the query, which would otherwise silently select nothing.
    public func check(_ query: EventQuery) throws {
        guard query.names <= EventQuery.mostNames else {
            throw EventStoreError(
                code,
                "The query names \(query.names) types and tags; the maximum is \(EventQuery.mostNames). Split it, or select by category."
            )
        }
        for item in query.items {
            for type in item.types { try check(type: type) }
            for tag in item.tags { try check(tag: tag) }
            if let stream = item.stream { try check(stream) }
            if let category = item.category { try check(category: category) }
        }
    }

    /// Checks the arguments for listing streams.
    public func check(category: String?, prefix: String?, after: StreamID?) throws {
        if let category { try check(category: category) }
        for text in [prefix, after?.name] where text?.utf8.contains(0) == true {
            throw EventStoreError(code, "The prefix or start of a stream listing contains a NUL.")
        }
    }

    /// Refuses a date whose time is NaN.
    public func checked(_ date: Date, _ what: String) throws -> Date {
        if date.timeIntervalSinceReferenceDate.isNaN {
            throw EventStoreError(code, "The \(what) is not a valid date: its time is NaN.")
        }
        return date
    }

    package static let longestKey = 255

    public func check(consumer: String) throws { try check(consumer, "consumer name", most: 255) }

    public func check(_ key: IdempotencyKey) throws {
        // A policy's commands come to a store under such keys; the orchestrator refuses them from its callers.
        let check = key.key.utf8.starts(with: IdempotencyKey.policyPrefix.utf8) ? .argument : self
        try check.check(key.key, "idempotency key", most: Self.longestKey)
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

    /// The own stream of an event that belongs to no other stream.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidAppend`` if the type is not a valid
    ///   category: with a hyphen in it, the event would be found in another category.
    init(ofItsOwn id: UUID, type: String) throws {
        guard Self.isCategory(type) else {
            throw EventStoreError(
                .invalidAppend,
                "The event type \"\(type.cut(to: 80))\" cannot be a stream category. "
                    + "Use only letters, digits, _ and . in it, or specify a stream.")
        }
        self.init(category: type, id: id.lowercased)
    }

    /// What is wrong with an aggregate's id as part of its stream name, to complete a sentence that begins with the
    /// field; `nil` if a store accepts the id.
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
