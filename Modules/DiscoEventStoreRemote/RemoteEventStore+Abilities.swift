#if HTTP
public import DiscoCore
public import Foundation

extension RemoteEventStore: StreamCatalog {
    public func streams(
        category: String?, prefix: String?, after: StreamID?, limit: Int
    ) async throws -> [StreamInfo] {
        try NameCheck.argument.check(category: category, prefix: prefix, after: after)
        var streams: [StreamInfo] = []
        while streams.count < limit {
            let wanted = min(limit - streams.count, Self.mostRows)
            let answer = try await server.send(
                .init(
                    .get, ["streams"],
                    query: [
                        ("category", category), ("prefix", prefix), ("after", streams.last?.stream.name ?? after?.name),
                        ("limit", "\(wanted)"),
                    ]))
            let page = try WireList.member("streams", of: answer).map { try WireList.read(StreamInfo.self, $0) } ?? []
            streams += page
            if page.count < wanted { break }
        }
        return streams
    }

    /// What the server gives in one answer.
    private static let mostRows = 10_000

    public func event(_ id: UUID) async throws -> RecordedEvent? {
        try await found("unknown_event", .init(.get, ["events", id.lowercased])) { try RecordedEvent(wire: $0) }
    }

    /// What the server finds; `nil` if it answers with this code.
    fileprivate func found<Value>(
        _ code: String, _ request: RemoteServer.Request, _ read: (JSONText) throws -> Value
    ) async throws -> Value? {
        do {
            return try read(try await server.send(request))
        } catch let error as EventStoreError where error.code.name == code {
            return nil
        }
    }

    /// One member of an answer.
    fileprivate func member(_ name: String, of request: RemoteServer.Request, isRepeatable: Bool = true) async throws
        -> JSON
    {
        let answer = try await server.send(request, isRepeatable: isRepeatable)
        return try answer.value()[name] ?? .null
    }
}

extension RemoteEventStore: EventCounting {
    public func events(after: Position, upTo: Position) async throws -> Int {
        let request = RemoteServer.Request(
            .get, ["counts"],
            query: [("after", "\(max(0, after.rawValue))"), ("up_to", "\(max(0, upTo.rawValue))")])
        return try await member("count", of: request).integer ?? 0
    }
}

extension RemoteEventStore: StreamDeletion {
    public func isDeleted(_ stream: StreamID) async throws -> Bool {
        try NameCheck.argument.check(stream)
        return try await member("deleted", of: .init(.get, ["streams", stream.name, "deletion"])) == .bool(true)
    }

    public func delete(_ stream: StreamID) async throws {
        try NameCheck.argument.check(stream)
        try await change(.init(.delete, ["streams", stream.name]))
    }

    public func restore(_ stream: StreamID) async throws {
        try NameCheck.argument.check(stream)
        try await change(.init(.post, ["streams", stream.name, "restore"]))
    }

    public func erase(_ stream: StreamID, close: Bool) async throws {
        try NameCheck.argument.check(stream)
        try await change(
            .init(.post, ["streams", stream.name, "erase"], body: JSONText(["close": .bool(close)])))
    }

    private func change(_ request: RemoteServer.Request) async throws {
        try await changing { _ = try await server.send(request, isRepeatable: false) }
    }
}

extension RemoteEventStore: SnapshotStore {
    private func path(_ key: SnapshotKey) -> [String] { ["snapshots", key.stream.name, key.name, key.fingerprint] }

    public func snapshot(_ key: SnapshotKey) async throws -> Snapshot? {
        try key.check()
        return try await found("unknown_snapshot", .init(.get, path(key))) { try Snapshot(wire: $0) }
    }

    public func save(_ snapshot: Snapshot) async throws {
        try snapshot.key.check()
        _ = try await server.send(.init(.put, path(snapshot.key), body: snapshot.wire))
    }

    public func delete(_ key: SnapshotKey) async throws {
        try key.check()
        _ = try await server.send(.init(.delete, path(key)))
    }
}

extension RemoteEventStore: IdempotencyKeyStore {
    public func recorded(under key: IdempotencyKey) async throws -> Appended? {
        try NameCheck.argument.check(key)
        return try await found(
            "unknown_key", .init(.get, ["keys", key.key], query: [("fingerprint", key.fingerprint)])
        ) { try Appended(wire: $0) }
    }

    @discardableResult
    public func forgetKeys(storedBefore date: Date, ofPolicies: Bool) async throws -> Int {
        let date = try NameCheck.argument.checked(date, "date before which keys are forgotten")
        let text = Timestamp.text(of: date) ?? Timestamp.text(of: .distantPast)
        let policies = ofPolicies ? [("of_policies", "true")] : []
        let request = RemoteServer.Request(.delete, ["keys"], query: [("stored_before", text)] + policies)
        return try await member("forgotten", of: request, isRepeatable: false).integer ?? 0
    }
}

extension RemoteEventStore: StoreVerification {
    public func verify(after position: Position, limit: Int) async throws -> VerifiedPage {
        try VerifiedPage(
            wire: try await server.send(
                .init(
                    .get, ["verify"],
                    query: [
                        ("after", "\(max(0, position.rawValue))"), ("limit", "\(min(max(1, limit), Self.mostRows))"),
                    ])))
    }
}
#endif
