import DiscoCore
import DiscoEventStore
import Foundation

extension EventStoreConformance {
    /// 1: a-1 T1 [x], 2: b-1 T2 [x, y], 3: a-1 T2, 4: a-1-1 T1 [y], 5: a-1 T3 [x].
    static func sample(_ client: EventStoreClient) async throws {
        try await client.append(
            Append([
                event("a-1", "T1", tags: ["x"]), event("b-1", "T2", tags: ["x", "y"]), event("a-1", "T2"),
                event("a-1-1", "T1", tags: ["y"]), event("a-1", "T3", tags: ["x"]),
            ]))
    }

    private static func positions(_ events: EventSequence) async throws -> [Int64] {
        try await events.collect().map(\.position.rawValue)
    }

    /// The events of a read in pages of seven, and the `through` of the last page.
    private static func paged(
        _ read: Read, _ store: any EventStore
    ) async throws -> (events: [RecordedEvent], through: Position) {
        var read = read
        read.limit = 7
        var events: [RecordedEvent] = []
        while true {
            let page = try await store.page(read)
            events += page.events
            if !page.hasMore { return (events, page.through) }
            switch read.direction {
            case .forward: read.after = page.through
            case .backward: read.upTo = Position(rawValue: page.through.rawValue - 1)
            }
        }
    }

    static let readingCases: [Case] = [
        Case("C20", "a missing stream is empty and reported as not existing") { suite in
            try await suite.withStore { client in
                try requireEqual(try await client.exists("a-1"), false, "exists")
                try requireEqual(try await client.events(in: "a-1").collect(), [], "events")
                try requireEqual(try await client.head(), 0, "head")
            }
        },
        Case("C21", "a stream is read forward, backward, from and to a version, and with a limit") { suite in
            try await suite.withStore { client in
                try await sample(client)
                func versions(_ events: EventSequence) async throws -> [Int] {
                    try await events.collect().map(\.version)
                }
                try requireEqual(try await versions(client.events(in: "a-1")), [1, 2, 3], "all")
                try requireEqual(
                    try await versions(client.events(in: "a-1", direction: .backward)), [3, 2, 1], "backward")
                try requireEqual(try await versions(client.events(in: "a-1", from: 2)), [2, 3], "from 2")
                try requireEqual(try await versions(client.events(in: "a-1", to: 2)), [1, 2], "to 2")
                try requireEqual(try await versions(client.events(in: "a-1", from: 2, to: 2)), [2], "window")
                try requireEqual(try await versions(client.events(in: "a-1", from: 3, to: 2)), [], "from beyond to")
                try requireEqual(try await versions(client.events(in: "a-1", from: 9)), [], "from beyond the end")
                try requireEqual(try await versions(client.events(in: "a-1", limit: 2)), [1, 2], "limit")
                try requireEqual(try await versions(client.events(in: "a-1", limit: 0)), [], "limit 0")
                try requireEqual(
                    try await positions(client.events(direction: .backward, limit: 2)), [5, 4], "backward limit")
                let small = client.events(direction: .backward, pageSize: 2)
                try requireEqual(try await positions(small), [5, 4, 3, 2, 1], "backward in pages")
            }
        },
        Case("C22", "streams with similar ids or a common prefix do not mix") { suite in
            try await suite.withStore { client in
                let names: [StreamID] = [
                    "a-1", "a-1-1", "a-11", "a-1 ", "a-A", "a-a", "a-é", "a-e\u{301}", "a-%", "a-_",
                ]
                try await client.append(Append(names.map { event($0) } + names.map { event($0) }))
                for (index, name) in names.enumerated() {
                    let read = try await positions(client.events(in: name))
                    try requireEqual(read, [Int64(index) + 1, Int64(index + names.count) + 1], "events of \(name)")
                }
            }
        },
        Case("C23", "queries by stream, category, types, tags and OR yield no duplicates and obey limits") { suite in
            try await suite.withStore { client in
                try await sample(client)
                let table: [(EventQuery, [Int64])] = [
                    (.all, [1, 2, 3, 4, 5]), (EventQuery(items: []), []), (.stream("a-1"), [1, 3, 5]),
                    (.category("a"), [1, 3, 4, 5]),
                    (.types("T2"), [2, 3]), (.types("T1", "T3"), [1, 4, 5]), (.tags("x"), [1, 2, 5]),
                    (.tags("x", "y"), [2]), (.tags("none"), []), (.types("T1").tagged("y"), [4]),
                    (.category("a").tagged("x"), [1, 5]), (.stream("a-1").tagged("x"), [1, 5]),
                    (.types("T1", "T2").tagged("x"), [1, 2]), (.types("T1").or(.tags("y")), [1, 2, 4]),
                    (.stream("b-1").or(.types("T3")), [2, 5]), (.category("none"), []),
                    (EventQuery(items: [.init(types: ["T1", "T2"], category: "a")]), [1, 3, 4]),
                ]
                for (query, expected) in table {
                    try requireEqual(try await positions(client.events(query)), expected, "\(query)")
                    let backward = client.events(query, direction: .backward, pageSize: 1)
                    try requireEqual(try await positions(backward), expected.reversed(), "backward \(query)")
                    let two = client.events(query, limit: 2)
                    try requireEqual(try await positions(two), Array(expected.prefix(2)), "limit \(query)")
                    let late = client.events(query, after: 2, upTo: 4)
                    try requireEqual(
                        try await positions(late), expected.filter { $0 > 2 && $0 <= 4 }, "window \(query)")
                }
            }
        },
        Case("C23", "a read of slices returns every event of their streams that the query matches") { suite in
            try await suite.withStore { client in
                for start in stride(from: 0, to: 240, by: 60) {
                    try await client.append(
                        Append(
                            (start..<start + 60).map { number in
                                event(
                                    StreamID(category: number % 3 == 0 ? "a" : "b", id: "\(number % 20)"),
                                    "T\(number % 4)", tags: [EventTag("t", number % 5)])
                            }))
                }
                let all = try await client.events().collect()
                let (some, head) = (all[0].stream.slice, all.count)
                let slices = [
                    0...1023, 0...511, 512...1023, 200...700, some...some, 0...0, 1023...1023,
                ]
                let queries: [EventQuery] = [
                    .all, .category("a"), .types("T1"), .types("T1", "T2"), .tags("t:1"), .stream(all[0].stream),
                    EventQuery.types("T1").tagged("t:2"), EventQuery.stream(all[1].stream).or(.tags("t:3")),
                ]
                for range in slices {
                    for query in queries {
                        for (after, upTo) in [(0, nil), (50, 200)] as [(Position, Position?)] {
                            var read = Read(query, after: after, upTo: upTo, slices: range)
                            let expected = all.filter { event in
                                range.contains(event.stream.slice) && query.matches(event) && event.position > after
                                    && event.position <= upTo ?? event.position
                            }
                            let forward = try await paged(read, client.store)
                            try requireEqual(
                                forward.events.map(\.position), expected.map(\.position), "\(query) in \(range)")
                            let end = upTo ?? Position(rawValue: Int64(head))
                            try requireEqual(forward.through, end, "through of \(query) in \(range)")
                            read.direction = .backward
                            let backward = try await paged(read, client.store)
                            try requireEqual(
                                backward.events, forward.events.reversed(), "backward \(query) in \(range)")
                        }
                    }
                    let stream = Read(.stream(all[0].stream), versions: 2...3, slices: range)
                    try requireEqual(
                        try await paged(stream, client.store).events.map(\.version),
                        range.contains(some) ? [2, 3] : [], "versions of a stream in \(range)")
                }
                for range in [-1...5, 0...1024, 1024...2000, .min ... -1, .min ... .max] {
                    let error = try await requireThrows(EventStoreError.self) {
                        _ = try await client.store.page(Read(slices: range))
                    }
                    try requireEqual(error.code, .invalidArgument, "code for the slices \(range)")
                }
            }
        },
        Case("C24", "a read as of a time returns the events recorded by then and no later ones") { suite in
            try suite.requireSettableClock()
            let now = Locked(Date(timeIntervalSince1970: 1_700_000_000))
            let options = Options(context: StoreContext(now: { now.withLock { $0 } }))
            try await suite.withStore(options) { client in
                for _ in 0..<5 {
                    try await client.append(Append([event("a-1"), event("b-1")]))
                    now.withLock { $0.addTimeInterval(60) }
                }
                let events = try await client.events().collect()
                for minute in -1..<6 {
                    let date = Date(timeIntervalSince1970: 1_700_000_030 + 60 * Double(minute))
                    let expected = Array(events.map(\.position.rawValue).prefix(max(0, 2 * minute + 2)))
                    try requireEqual(try await positions(client.events(asOf: date)), expected, "as of minute \(minute)")
                    let backward = client.events(.stream("b-1"), asOf: date, direction: .backward)
                    let even = Array(expected.filter { $0 % 2 == 0 }.reversed())
                    try requireEqual(try await positions(backward), even, "backward as of minute \(minute)")
                }
                let third = try await positions(client.events(asOf: events[5].recordedAt))
                try requireEqual(third, [1, 2, 3, 4, 5, 6], "as of a recorded time itself")
            }
        },
        Case("C24", "the last event of a stream and an event by its id can be read") { suite in
            try await suite.withStore { client in
                try await sample(client)
                let events = try await client.events().collect()
                let last = try await client.events(in: "a-1", direction: .backward, limit: 1).collect()
                try requireEqual(last, [events[4]], "last event")
                let catalog = try demand(client.store.abilities.catalog, "a catalog of streams and events")
                try requireEqual(try await catalog.event(events[2].id), events[2], "event by id")
                try requireEqual(try await catalog.event(UUID()), nil, "unknown event")
            }
        },
        Case("C25", "paging through 100,000 events yields each once, in order") { suite in
            try await suite.withStore { client in
                for start in stride(from: 0, to: 100_000, by: 5_000) {
                    try await client.append(Append((start..<start + 5_000).map { event(StreamID("s-\($0 % 7)")) }))
                }
                var expected: Int64 = 0
                for try await event in client.events(pageSize: 700) {
                    expected += 1
                    try requireEqual(event.position.rawValue, expected, "position")
                }
                try requireEqual(expected, 100_000, "events")
            }
        },
        Case("C26", "streams are listed in pages, by category and prefix") { suite in
            try await suite.withStore { client in
                try await sample(client)
                let catalog = try demand(client.store.abilities.catalog, "a catalog of streams and events")
                func names(_ category: String?, _ prefix: String?, _ after: StreamID?, _ limit: Int) async throws
                    -> [StreamID]
                {
                    try await catalog.streams(category: category, prefix: prefix, after: after, limit: limit).map(
                        \.stream)
                }
                try requireEqual(try await names(nil, nil, nil, 10), ["a-1", "a-1-1", "b-1"], "all")
                try requireEqual(try await names("a", nil, nil, 10), ["a-1", "a-1-1"], "category")
                try requireEqual(try await names(nil, "a-1-", nil, 10), ["a-1-1"], "prefix")
                try requireEqual(try await names("a", "b", nil, 10), [], "prefix of another category")
                try requireEqual(try await names(nil, nil, "a-1", 1), ["a-1-1"], "page")
                try requireEqual(try await names(nil, nil, nil, 0), [], "limit 0")
                let infos = try await client.streams(category: "a")
                try requireEqual(infos.map(\.version), [3, 1], "versions")
            }
        },
    ]
}
