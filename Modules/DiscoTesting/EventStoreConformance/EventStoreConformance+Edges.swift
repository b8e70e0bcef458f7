import DiscoCore
import Foundation

extension EventStoreConformance {
    /// Accepts the errors that an edge-case value may cause; any other error, and above all a trap, is a failure.
    private static func tolerating(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch is VersionConflict, is ConditionFailed, is StreamDeleted {
        } catch let error as EventStoreError
            where [.invalidAppend, .invalidArgument, .unknownStream, .erasingNotAllowed].contains(error.code)
        {}
    }

    private static func untouched(_ client: EventStoreClient) async throws {
        let read = try await client.events().collect()
        try requireEqual(read.map(\.stream), ["a-1", "a-1", "b-1"], "streams")
        try requireEqual(try await client.events(in: "a-1").collect().count, 2, "events of a-1")
    }

    static let edgeCases: [Case] = [
        Case("C21", "extreme positions, versions, limits and times act only as bounds") { suite in
            try await suite.withStore { client in
                try await client.append(Append([event("a-1", tags: ["t"]), event("a-1"), event("b-1", "U")]))
                var values = GeneratedValues()
                let queries: [EventQuery] = [
                    .all, .stream("a-1"), .category("a"), .tags("t"), .types("Happened", "U"), EventQuery(items: []),
                    EventQuery.stream("b-1").or(.tags("t")),
                ]
                for _ in 0..<400 {
                    var read = Read(
                        values.pick(queries), direction: values.pick([.forward, .backward]),
                        after: values.pick(GeneratedValues.positions),
                        upTo: values.pick([nil] + GeneratedValues.positions.map(Optional.init)))
                    let (one, other) = (values.pick(GeneratedValues.integers), values.pick(GeneratedValues.integers))
                    if values.flag() { read.versions = min(one, other)...max(one, other) }
                    if values.pick([false, false, true]) { read.asOf = values.pick(GeneratedValues.dates) }
                    read.limit = values.pick(GeneratedValues.integers)
                    read.byteLimit = values.pick(GeneratedValues.integers)
                    let plain = read
                    try await tolerating {
                        let page = try await client.store.page(plain)
                        try requireEqual(page.head, 3, "head")
                        let positions = page.events.map(\.position)
                        try require(
                            positions.allSatisfy { $0 > plain.after && $0 <= plain.upTo ?? 3 },
                            "positions \(positions) lie outside \(plain)")
                    }
                }
                for position in GeneratedValues.positions {
                    try await tolerating { _ = try await client.events(after: position, upTo: position).collect() }
                    try await tolerating {
                        _ = try await client.events(upTo: position, direction: .backward, pageSize: .min).collect()
                    }
                    let read = try await client.events(after: position).collect()
                    let expected = [1, 2, 3].filter { $0 > position.rawValue }
                    try requireEqual(read.map(\.position.rawValue), expected, "positions after \(position)")
                    if let verification = client.store.abilities.verification {
                        for limit in GeneratedValues.integers {
                            let page = try await verification.verify(after: position, limit: limit)
                            try requireEqual(page.findings, [], "findings")
                        }
                    }
                    for await element in Follower(client, after: position) {
                        if case .event(let event) = element {
                            try require(event.position > position, "\(event.position) is not after \(position)")
                        }
                    }
                }
                for first in GeneratedValues.integers {
                    for last in GeneratedValues.integers {
                        let read = try await client.events(in: "a-1", from: first, to: last, limit: first).collect()
                        let versions = [1, 2].filter { $0 >= first && $0 <= last }.prefix(max(0, first))
                        try requireEqual(read.map(\.version), Array(versions), "versions \(first) to \(last)")
                        _ = try await client.events(in: "a-1", from: first, to: last, direction: .backward).collect()
                    }
                    if let catalog = client.store.abilities.catalog {
                        _ = try await catalog.streams(category: nil, prefix: nil, after: nil, limit: first)
                    }
                }
                for date in GeneratedValues.dates {
                    try await tolerating { _ = try await client.events(asOf: date).collect() }
                    if client.store.abilities.keys != nil {
                        try await tolerating { _ = try await client.forgetKeys(storedBefore: date) }
                    }
                }
                try await untouched(client)
            }
        },
        Case("B14", "extreme expected versions and condition positions do not trap") { suite in
            try await suite.withStore { client in
                try await client.append(Append([event("a-1"), event("a-1"), event("b-1")]))
                for version in GeneratedValues.integers {
                    for stream in ["a-1", "missing-1"] as [StreamID] {
                        for written in [[], [event("c-1")]] {
                            let append = Append(written + [event("d-1")], expect: [stream: .exactly(version)])
                            let actual = stream == "a-1" ? 2 : 0
                            if version == actual { continue }
                            let conflict = try await requireThrows(VersionConflict.self) {
                                try await client.append(append)
                            }
                            try requireEqual(conflict.streams.map(\.stream), [stream], "refused streams")
                            try requireEqual(conflict.streams[0].actual, actual, "actual version")
                            let unseen = actual > max(0, version) ? actual - max(0, version) : 0
                            try requireEqual(conflict.streams[0].unseen.count, unseen, "unseen events")
                        }
                    }
                }
                for position in GeneratedValues.positions where position.rawValue < 3 {
                    let failed = try await requireThrows(ConditionFailed.self) {
                        try await client.append(
                            Append([event("c-1")], condition: .init(noneMatch: .all, after: position)))
                    }
                    try requireEqual(failed.position.rawValue, max(0, position.rawValue) + 1, "first match")
                }
                try await untouched(client)
                for position in GeneratedValues.positions where position.rawValue > 3 {
                    let stream = StreamID("c-\(position)")
                    try await client.append(Append([event(stream)], condition: .init(noneMatch: .all, after: position)))
                }
            }
        },
        Case("A11", "names with NULs or accents, and empty names, are never truncated or confused") { suite in
            try await suite.withStore(Options(allowsErasing: true)) { client in
                try await client.append(
                    Append([event("a-1", tags: ["t"]), event("a-1"), event("b-1")], key: .init("k", fingerprint: "f")))
                let abilities = client.store.abilities
                for name in GeneratedValues.names where name != "a-1" {
                    let stream = StreamID(name)
                    for query in [
                        EventQuery.stream(stream), .category(name), .types(name), .tags(EventTag(name)),
                        EventQuery(items: [.init(types: ["Happened", name], tags: ["t", EventTag(name)])]),
                    ] where query != .category("a") {
                        try await tolerating {
                            let found = try await client.events(query).collect()
                            try requireEqual(found, [], "events found by \(name.debugDescription)")
                        }
                        try await tolerating {
                            _ = try await client.append(Append([], condition: .init(noneMatch: query)))
                        }
                    }
                    try await tolerating { _ = try await client.version(of: stream) }
                    if let deletion = abilities.deletion {
                        try await tolerating { try await deletion.delete(stream) }
                        try await tolerating { try await deletion.restore(stream) }
                        try await tolerating { try await deletion.erase(stream, close: true) }
                        try await tolerating {
                            try require(!(try await deletion.isDeleted(stream)), "\(name) is reported as deleted")
                        }
                    }
                    if let snapshots = abilities.snapshots {
                        let key = SnapshotKey(stream: stream, name: name, fingerprint: name)
                        try await tolerating { try await snapshots.save(Snapshot(key: key, version: 1, state: "1")) }
                        try await tolerating { try await snapshots.delete(key) }
                        try await tolerating { _ = try await snapshots.snapshot(key) }
                    }
                    if let keys = abilities.keys {
                        try await tolerating {
                            try requireEqual(
                                try await keys.recorded(under: .init("k" + name, fingerprint: "f")) != nil,
                                name.isEmpty,
                                "a key")
                        }
                        try await tolerating {
                            _ = try await keys.recorded(under: .init("K" + name, fingerprint: name))
                        }
                    }
                    if let catalog = abilities.catalog {
                        try await tolerating {
                            _ = try await catalog.streams(category: name, prefix: nil, after: nil, limit: 9)
                        }
                        try await tolerating {
                            _ = try await catalog.streams(category: nil, prefix: name, after: stream, limit: 9)
                        }
                    }
                }
                try await untouched(client)
            }
        },
        Case("C26", "a category is never matched as a prefix of another name") { suite in
            try await suite.withStore { client in
                let catalog = try demand(client.store.abilities.catalog, "a catalog of streams")
                try await client.append(Append([event("a-b-c"), event("a-b"), event("ab-c")]))
                for name in ["a-b", "a-", "-", "", "é"] {
                    let error = try await requireThrows(EventStoreError.self) {
                        _ = try await catalog.streams(category: name, prefix: nil, after: nil, limit: 9)
                    }
                    try requireEqual(error.code, .invalidArgument, "code")
                }
                let streams = try await catalog.streams(category: "a", prefix: nil, after: nil, limit: 9)
                try requireEqual(streams.map(\.stream), ["a-b", "a-b-c"], "streams")
            }
        },
        Case("E34", "an invariant over two tags holds whatever characters the tags contain") { suite in
            try await suite.withStore { client in
                for name in ["\"\u{301}", "\\\u{301}", "\\\\", "{}", ",\u{301}", "\"", "NULL", "e\u{301}", "é"] {
                    let (seat, show) = (EventTag("seat", name), EventTag("show", name))
                    let booking = EventQuery.types("Booked").tagged(seat, show)
                    let booked = event(.init("b-" + name), "Booked", tags: [seat, show])
                    // One append of several events, then one of a single event: they take different paths.
                    try await client.append(Append([booked, event("x-1")], condition: .init(noneMatch: booking)))
                    try await requireThrows(ConditionFailed.self) {
                        let again = event(.init("b-" + name), "Booked", tags: [show, seat])
                        try await client.append(Append([again], condition: .init(noneMatch: booking)))
                    }
                    try requireEqual(try await client.events(booking).collect().map(\.id), [booked.id], "bookings")
                }
            }
        },
    ]
}

/// The elements of a subscription until it catches up; ends at once if it starts beyond the head.
private struct Follower: AsyncSequence {
    let client: EventStoreClient
    let position: Position

    init(_ client: EventStoreClient, after position: Position) {
        self.client = client
        self.position = position
    }

    func makeAsyncIterator() -> AsyncStream<Subscription.Element>.Iterator {
        AsyncStream { continuation in
            let task = Task {
                for try await element in client.subscribe(after: position) {
                    if element == .caughtUp { break }
                    continuation.yield(element)
                }
                continuation.finish()
            }
            // Beyond the head nothing is yielded.
            if position > 3 {
                task.cancel()
                continuation.finish()
            }
        }.makeAsyncIterator()
    }
}
