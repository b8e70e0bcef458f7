import DiscoCore

extension EventStoreConformance {
    /// Runs `body` on a store with a-1 at positions 1, 2 and 4 and b-1 at 3 and 5; all events but the last have a tag.
    private func withDeletion(
        erasing: Bool = false, _ body: @Sendable (EventStoreClient, [RecordedEvent]) async throws -> Void
    ) async throws {
        try await withStore(Options(allowsErasing: erasing)) { client in
            _ = try demand(client.store.abilities.deletion, "stream deletion")
            let secret = JSONText(["secret": "x"])
            try await client.append(
                Append([
                    event("a-1", "T", secret, tags: ["x"]), event("a-1", "T", secret, tags: ["x"]),
                    event("b-1", tags: ["x"]), event("a-1", "T", secret, tags: ["x"]), event("b-1"),
                ]))
            try await body(client, try await client.events().collect())
        }
    }

    /// Requires that no read returns anything of a-1, and that the other events, the head and `through` are unchanged.
    private static func requireHidden(_ client: EventStoreClient, _ events: [RecordedEvent]) async throws {
        let rest = events.filter { $0.stream != "a-1" }
        try requireEqual(try await client.events().collect(), rest, "all events")
        try requireEqual(try await client.events(direction: .backward).collect(), rest.reversed(), "backward")
        try requireEqual(try await client.events(in: "a-1").collect(), [], "its events")
        try requireEqual(try await client.events(.category("a")).collect(), [], "its category")
        try requireEqual(try await client.events(.types("T")).collect(), [], "its type")
        try requireEqual(try await client.events(.tags("x")).collect().map(\.position), [3], "its tag")
        try requireEqual(try await client.exists("a-1"), false, "exists")
        try requireEqual(try await client.head(), 5, "head")
        let page = try await client.store.page(Read(after: 3, upTo: 4))
        try requireEqual(page.through, 4, "through")
        try requireEqual(page.throughID, events[3].id, "id at through")
        if client.store.abilities.catalog != nil {
            try requireEqual(try await client.streams().map(\.stream), ["b-1"], "streams")
            try requireEqual(try await client.event(events[0].id), nil, "event by id")
        }
    }

    static let administrationCases: [Case] = [
        Case("I49", "a deleted stream is skipped by reads, refuses appends and can be restored") { suite in
            try await suite.withDeletion { client, events in
                try await client.delete("a-1")
                try await client.delete("a-1")
                try await requireHidden(client, events)
                for append in [
                    Append([event("a-1")]), Append([event("b-1"), event("a-1")], expect: ["a-1": .any]),
                    Append([event("b-1")], expect: ["a-1": .noStream]),
                ] {
                    let error = try await requireThrows(StreamDeleted.self) { try await client.append(append) }
                    try requireEqual(error.stream, "a-1", "stream")
                }
                try await client.append(Append([], condition: AppendCondition(noneMatch: .types("T"))))
                try await client.restore("a-1")
                try requireEqual(try await client.events().collect(), events, "events")
                try requireEqual(
                    try await client.append(Append([event("a-1")])).version(of: "a-1"), 4, "version after restoring")
            }
        },
        Case("I49", "a follower skips a deleted stream") { suite in
            try await suite.withDeletion { client, events in
                try await client.delete("a-1")
                let seen = try await within(.seconds(20), "following") {
                    var seen: [Subscription.Element] = []
                    for try await element in client.subscribe(to: .category("a")) {
                        seen.append(element)
                        if element == .caughtUp { break }
                    }
                    return seen
                }
                try requireEqual(seen, [.progress(5), .caughtUp], "elements")
            }
        },
        Case("I49", "an erased stream keeps its positions and versions and continues at the next version") { suite in
            try await suite.withDeletion(erasing: true) { client, events in
                let keyed = event("b-1")
                try await client.erase("a-1", close: false)
                try await requireHidden(client, events)
                let conflict = try await requireThrows(VersionConflict.self) {
                    try await client.append(Append([keyed], expect: ["a-1": .exactly(3)]))
                }
                try requireEqual(conflict.streams.first?.actual, 0, "actual version")
                let next = try await client.append(Append([event("a-1", "T")], expect: ["a-1": .noStream]))
                try requireEqual(next.events.map(\.version), [4], "next version")
                try requireEqual(next.events.map(\.position), [6], "next position")
                try requireEqual(try await client.events(in: "a-1").collect().map(\.version), [4], "versions")
                let stale = try await requireThrows(VersionConflict.self) {
                    try await client.append(Append([event("a-1")], expect: ["a-1": .exactly(3)]))
                }
                try requireEqual(stale.streams.first?.unseen.map(\.version), [4], "unseen versions")
                try requireEqual(stale.streams.first?.complete, false, "complete for a stream with erased events")
                let condition = AppendCondition(noneMatch: .types("T"))
                let failure = try await requireThrows(ConditionFailed.self) {
                    try await client.append(Append([event("b-1")], condition: condition))
                }
                try requireEqual(failure.position, 6, "match")
            }
        },
        Case("I49", "repeating an append of erased events returns the first result") { suite in
            try await suite.withStore(Options(allowsErasing: true)) { client in
                _ = try demand(client.store.abilities.deletion, "stream deletion")
                let append = Append([event("a-1"), event("b-1")], key: IdempotencyKey("k", fingerprint: "f"))
                let first = try await client.append(append)
                try await client.erase("a-1")
                for repeated in [append, Append(append.events)] {
                    let again = try await client.append(repeated)
                    try requireEqual(again.events, first.events, "result")
                    try requireEqual(again.repeated, true, "repeated")
                }
                try await requireThrows(DuplicateEvent.self) {
                    try await client.append(Append([append.events[0]]))
                }
            }
        },
        Case("I49", "an erased and closed stream stays closed and loses its snapshots") { suite in
            try await suite.withDeletion(erasing: true) { client, events in
                let key = SnapshotKey(stream: "a-1", name: "A", fingerprint: "f")
                try await client.store.abilities.snapshots?.save(Snapshot(key: key, version: 3, state: "{}"))
                try await client.delete("a-1")
                try await client.erase("a-1")
                try await requireHidden(client, events)
                try await requireThrows(StreamDeleted.self) { try await client.append(Append([event("a-1")])) }
                try await requireThrows(StreamDeleted.self) { try await client.restore("a-1") }
                try requireEqual(try await client.store.abilities.snapshots?.snapshot(key), nil, "snapshot")
            }
        },
        Case("I49", "unknown streams are refused, and so is erasing if it is not allowed") { suite in
            try await suite.withDeletion { client, events in
                for body in [client.delete, client.restore] {
                    let error = try await requireThrows(EventStoreError.self) { try await body("none-1") }
                    try requireEqual(error.code, .unknownStream, "code")
                }
                let error = try await requireThrows(EventStoreError.self) { try await client.erase("a-1") }
                try requireEqual(error.code, .erasingNotAllowed, "code")
                try requireEqual(try await client.events().collect(), events, "events")
            }
        },
        Case("I50", "two stores are isolated from each other") { suite in
            try await suite.withStore { one in
                try await suite.withStore { other in
                    let woken = Locked(false)
                    let waiting = Task {
                        try await other.store.wait(beyond: 1)
                        woken.withLock { $0 = true }
                    }
                    try await other.append(Append([event("a-1")]))
                    for _ in 0..<3 { try await one.append(Append([event("a-1")])) }
                    try requireEqual(try await other.head(), 1, "head")
                    try requireEqual(try await one.head(), 3, "head")
                    let (first, second) = (try await one.store.identity(), try await other.store.identity())
                    try require(first != second, "both stores have the identity \(first)")
                    try await Task.sleep(for: .milliseconds(100))
                    try require(!woken.withLock { $0 }, "one store was woken up by the other's appends")
                    try await other.append(Append([event("b-1")]))
                    try await within(.seconds(10), "waking up") { try await waiting.value }
                }
            }
        },
        Case("I51", "verification finds nothing in a sound store and accepts deleted and erased events") {
            suite in
            try await suite.withStore(Options(allowsErasing: true)) { client in
                _ = try demand(client.store.abilities.verification, "verification")
                try requireEqual(try await client.verify(), [], "findings in an empty store")
                for number in 0..<30 {
                    try await client.append(
                        Append((0..<50).map { event(StreamID("s-\($0 % 7)"), tags: [EventTag("n", number)]) }))
                }
                if client.store.abilities.deletion != nil {
                    try await client.delete("s-1")
                    try await client.erase("s-2", close: false)
                    try await client.append(Append([event("s-2")]))
                }
                let passed = Locked<[Int64]>([])
                let findings = try await client.verify { through, _ in
                    passed.withLock { $0.append(through.rawValue) }
                }
                try requireEqual(findings, [], "findings")
                let head = try await client.head().rawValue
                try requireEqual(passed.withLock { $0 }, [1000, head], "pages")
            }
        },
        Case("I51", "the store counts the events between any two positions, including deleted ones") { suite in
            try await suite.withStore { client in
                let counting = try demand(client.store.abilities.counting, "event counting")
                func requireCounts(of positions: [Position]) async throws {
                    for after in GeneratedValues.positions {
                        for upTo in GeneratedValues.positions {
                            let expected = positions.filter { $0 > after && $0 <= upTo }.count
                            let counted = try await counting.events(after: after, upTo: upTo)
                            try requireEqual(counted, expected, "events after \(after) up to \(upTo)")
                        }
                    }
                }
                try await requireCounts(of: [])
                try await client.append(Append([event("a-1"), event("b-1"), event("a-1")]))
                let positions = try await client.events().collect().map(\.position)
                try await requireCounts(of: positions)
                if client.store.abilities.deletion != nil {
                    try await client.delete("a-1")
                    try await requireCounts(of: positions)
                }
            }
        },
    ]
}
