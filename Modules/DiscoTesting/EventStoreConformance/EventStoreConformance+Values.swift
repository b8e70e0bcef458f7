import DiscoCore
import Foundation

extension EventStoreConformance {
    static let valueCases: [Case] = [
        Case("A8", "generated values in events, metadata, tags and snapshots read back equal") { suite in
            try await suite.withStore { client in
                var values = GeneratedValues()
                var expected: [(stream: StreamID, event: EveryKind, new: NewEvent)] = []
                for number in 0..<200 {
                    let event = EveryKind.generated(&values)
                    let stream = StreamID("every-\(number % 7)" + values.text(withNUL: false))
                    var new = try event.recorded(in: stream)
                    new.typeVersion = values.pick([1, 1, 2, Int(Int32.max)])
                    new.metadata = Metadata(
                        correlationID: values.pick([nil, values.uuid()]),
                        causationID: values.pick([nil, values.uuid()]),
                        values: values.pick([
                            nil, JSONText(["correlation_id": .string(values.text()), "n": 12345678901234567890.5]),
                        ]))
                    new.tags = (0..<values.pick([0, 1, 2, 3])).map {
                        EventTag("t\($0 / 2)", values.text(withNUL: false))
                    }
                    expected.append((stream, event, new))
                }
                // Single and batched: stores have a separate path for each.
                for (_, _, new) in expected.prefix(40) { try await client.append(Append([new])) }
                try await client.append(Append(expected.dropFirst(40).map(\.new)))
                let recorded = try await client.events().collect()
                try requireEqual(recorded.count, expected.count, "events")
                for (event, (stream, original, new)) in zip(recorded, expected) {
                    try requireEqual(event.stream, stream, "stream")
                    try requireEqual(event.payload, new.payload, "payload")
                    try requireEqual(event.typeVersion, new.typeVersion, "type version")
                    try requireEqual(event.metadata, new.metadata, "metadata")
                    try requireEqual(event.tags, new.tags, "tags")
                    if event.typeVersion == 1 { try requireEqual(try EveryKind(event), original, "event") }
                    for tag in Set(new.tags) {
                        let found = try await client.events(
                            .tags(tag), after: Position(rawValue: event.position.rawValue - 1), limit: 1
                        ).collect()
                        try requireEqual(found, [event], "events found by the tag \(tag)")
                    }
                }
                if client.store.abilities.verification != nil {
                    try requireEqual(try await client.verify(), [], "findings")
                }
                guard let snapshots = client.store.abilities.snapshots else { return }
                let key = SnapshotKey(stream: expected[0].stream, name: "S\u{301}\"'", fingerprint: "1:\\")
                let state = try JSONText(encoding: expected.map(\.event))
                try await snapshots.save(Snapshot(key: key, version: 1, state: state))
                let back = try await snapshots.snapshot(key)?.state.decode([EveryKind].self)
                try requireEqual(back, expected.map(\.event), "state")
            }
        },
        Case("A5", "an event that could not be read back is refused before it is recorded") { suite in
            try await suite.withStore { client in
                var deep = JSON.null
                for _ in 0..<2000 { deep = [deep] }
                var wrong: [NewEvent] = [
                    NewEvent(stream: "a-1", type: "T", payload: JSONText(deep)),
                    NewEvent(stream: "a-1", type: "T", payload: "1", metadata: Metadata(values: JSONText(deep))),
                ]
                for version in [Int.min, -1, 0, 1 << 31, .max] {
                    wrong.append(NewEvent(stream: "a-1", type: "T", typeVersion: version, payload: "1"))
                }
                for name in ["\0", "T\0x", "", String(repeating: "x", count: 256)] {
                    wrong.append(NewEvent(stream: "a-1", type: name, payload: "1"))
                    wrong.append(NewEvent(stream: "a-1", type: "T", payload: "1", tags: [EventTag(name)]))
                    wrong.append(NewEvent(stream: StreamID("a-\0" + name), type: "T", payload: "1"))
                }
                for event in wrong {
                    for events in [[event], [NewEvent(stream: "b-1", type: "T", payload: "1"), event]] {
                        let error = try await requireThrows(EventStoreError.self) {
                            try await client.append(Append(events))
                        }
                        try requireEqual(error.code, .invalidAppend, "code")
                    }
                }
                for key in ["", "k\0", String(repeating: "k", count: 256)] {
                    let error = try await requireThrows(EventStoreError.self) {
                        try await client.append(Append([], key: IdempotencyKey(key, fingerprint: "f")))
                    }
                    try requireEqual(error.code, .invalidAppend, "code")
                }
                try requireEqual(try await client.head(), 0, "head")
            }
        },
        Case("A6", "an append repeated with a new key is recorded once and found under the key") {
            suite in
            try await suite.withStore { client in
                let plain = Append([event("a-1"), event("b-1")])
                let first = try await client.append(plain)
                var keyed = plain
                keyed.key = IdempotencyKey("k", fingerprint: "f")
                let repeated = try await client.append(keyed)
                try requireEqual(repeated.events, first.events, "events of the repeat")
                try require(repeated.repeated, "the append was recorded again")
                let made = Append([event("a-1"), event("b-1")], key: keyed.key)
                try requireEqual(try await client.append(made).events, first.events, "events under the key")
                // Also in one batch with others.
                let more = (0..<20).map { Append([event(StreamID("c-\($0)"))]) }
                for append in more { _ = try await client.append(append) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (number, append) in more.enumerated() {
                        group.addTask {
                            var again = append
                            again.key = IdempotencyKey("k-\(number)", fingerprint: "f")
                            try require(try await client.append(again).repeated, "the append was recorded again")
                        }
                    }
                    try await group.waitForAll()
                }
                for (number, append) in more.enumerated() {
                    let anew = Append(
                        [event(append.events[0].stream)], key: IdempotencyKey("k-\(number)", fingerprint: "f"))
                    try requireEqual(
                        try await client.append(anew).events.first?.id, append.events[0].id, "id under the key")
                }
                try requireEqual(try await client.head(), 22, "head")
            }
        },
        Case("C23", "a query with 1000 types, tags or items is accepted, and a larger one is refused") { suite in
            try await suite.withStore { client in
                let tags = (0..<1000).map { EventTag("t", "\($0)") }
                try await client.append(
                    Append((0..<10).map { event("a-1", "T\($0)", tags: $0 == 3 ? tags : [tags[$0]]) }))
                let wide: [(EventQuery, [Position])] = [
                    (EventQuery(items: [.init(tags: tags)]), [4]),
                    (EventQuery(items: [.init(tags: tags, stream: "a-1")]), [4]),
                    (.types((0..<1000).map { "T\($0 + 8)" }), [9, 10]),
                    (EventQuery(items: [.init(types: (0..<999).map { "T\($0)" }, tags: [tags[7]])]), [4, 8]),
                    (EventQuery(items: tags.map { .init(tags: [$0]) }), (1...10).map { Position(rawValue: $0) }),
                    (
                        EventQuery(items: (0..<1000).map { .init(stream: StreamID("a-\($0)")) }),
                        (1...10).map { Position(rawValue: $0) }
                    ),
                ]
                for (query, expected) in wide {
                    let read = try await client.events(query).collect()
                    try requireEqual(read.map(\.position), expected, "positions")
                    let failed = try await requireThrows(ConditionFailed.self) {
                        try await client.append(Append([event("b-1")], condition: .init(noneMatch: query)))
                    }
                    try requireEqual(failed.position, expected[0], "position of the match")
                }
                let tooWide: [EventQuery] = [
                    .types((0..<1001).map { "T\($0)" }), .types((0..<40_000).map { "T\($0)" }),
                    EventQuery(items: [.init(tags: tags + tags.prefix(200))]),
                    EventQuery(items: (0..<1001).map { _ in .init() }),
                ]
                for query in tooWide {
                    let read = try await requireThrows(EventStoreError.self) {
                        _ = try await client.events(query).collect()
                    }
                    try requireEqual(read.code, .invalidArgument, "code")
                    let append = try await requireThrows(EventStoreError.self) {
                        try await client.append(Append([event("b-1")], condition: .init(noneMatch: query)))
                    }
                    try requireEqual(append.code, .invalidAppend, "code")
                }
            }
        },
    ]
}
