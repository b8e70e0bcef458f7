import DiscoCore
import Foundation

extension EventStoreConformance {
    /// 1: a-1 T1 [x], 2: b-1 T2 [x, y], 3: a-1 T2, 4: a-1-1 T1 [y], 5: a-1 T3 [x].
    private static func sample(_ client: EventStoreClient) async throws {
        try await client.append(
            Append([
                event("a-1", "T1", tags: ["x"]), event("b-1", "T2", tags: ["x", "y"]), event("a-1", "T2"),
                event("a-1-1", "T1", tags: ["y"]), event("a-1", "T3", tags: ["x"]),
            ]))
    }

    private static func positions(_ events: EventSequence) async throws -> [Int64] {
        try await events.collect().map(\.position.rawValue)
    }

    static let readingCases: [Case] = [
        Case("C20", "a missing stream is empty, and said not to exist") { suite in
            try await suite.withStore { client in
                try requireEqual(try await client.exists("a-1"), false, "exists")
                try requireEqual(try await client.stream("a-1").collect(), [], "events")
                try requireEqual(try await client.head(), 0, "head")
            }
        },
        Case("C21", "forward, backward, from and to a version, with a limit") { suite in
            try await suite.withStore { client in
                try await sample(client)
                func versions(_ events: EventSequence) async throws -> [Int] {
                    try await events.collect().map(\.version)
                }
                try requireEqual(try await versions(client.stream("a-1")), [1, 2, 3], "all")
                try requireEqual(try await versions(client.stream("a-1", direction: .backward)), [3, 2, 1], "backward")
                try requireEqual(try await versions(client.stream("a-1", from: 2)), [2, 3], "from 2")
                try requireEqual(try await versions(client.stream("a-1", to: 2)), [1, 2], "to 2")
                try requireEqual(try await versions(client.stream("a-1", from: 2, to: 2)), [2], "window")
                try requireEqual(try await versions(client.stream("a-1", from: 3, to: 2)), [], "from beyond to")
                try requireEqual(try await versions(client.stream("a-1", from: 9)), [], "from beyond the end")
                try requireEqual(try await versions(client.stream("a-1", limit: 2)), [1, 2], "limit")
                try requireEqual(try await versions(client.stream("a-1", limit: 0)), [], "limit 0")
                try requireEqual(
                    try await positions(client.events(direction: .backward, limit: 2)), [5, 4], "backward limit")
                let small = client.events(direction: .backward, pageSize: 2)
                try requireEqual(try await positions(small), [5, 4, 3, 2, 1], "backward in pages")
            }
        },
        Case("C23", "by stream, category, types and tags, OR of items without doubles, with a limit") { suite in
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
        Case("C24", "as of a time; an event by its id") { suite in
            try await suite.withStore { client in
                try await sample(client)
                let events = try await client.events().collect()
                let last = events.last?.recordedAt ?? .distantPast
                try requireEqual(try await positions(client.events(asOf: last)), [1, 2, 3, 4, 5], "as of the last")
                try requireEqual(
                    try await positions(client.events(asOf: last.addingTimeInterval(-3600))), [], "an hour before")
                guard let catalog = client.store.abilities.catalog else { return }
                try requireEqual(try await catalog.event(events[2].id), events[2], "event by id")
                try requireEqual(try await catalog.event(UUID()), nil, "unknown event")
            }
        },
        Case("C25", "paged reading of 20,000 events gives every one once, in order") { suite in
            try await suite.withStore { client in
                for start in stride(from: 0, to: 20_000, by: 4_000) {
                    try await client.append(Append((start..<start + 4_000).map { event(StreamID("s-\($0 % 7)")) }))
                }
                var expected: Int64 = 0
                for try await event in client.events(pageSize: 700) {
                    expected += 1
                    try requireEqual(event.position.rawValue, expected, "position")
                }
                try requireEqual(expected, 20_000, "events")
            }
        },
        Case("C26", "streams are listed in pages, by category and prefix") { suite in
            try await suite.withStore { client in
                try await sample(client)
                guard let catalog = client.store.abilities.catalog else { return }
                func names(_ category: String?, _ prefix: String?, _ after: StreamID?, _ limit: Int) async throws
                    -> [StreamID]
                {
                    try await catalog.streams(category: category, prefix: prefix, after: after, limit: limit).map(
                        \.stream)
                }
                try requireEqual(try await names(nil, nil, nil, 10), ["a-1", "a-1-1", "b-1"], "all")
                try requireEqual(try await names("a", nil, nil, 10), ["a-1", "a-1-1"], "category")
                try requireEqual(try await names(nil, "a-1-", nil, 10), ["a-1-1"], "prefix")
                try requireEqual(try await names(nil, nil, "a-1", 1), ["a-1-1"], "page")
            }
        },
        Case("D31", "a page moves past what does not match, and names the event it ends at") { suite in
            try await suite.withStore { client in
                try await sample(client)
                let events = try await client.events().collect()
                let page = try await client.store.page(Read(.types("T2"), limit: 10))
                try requireEqual(page.through, 5, "through")
                try requireEqual(page.throughID, events[4].id, "id at through")
                try requireEqual(page.head, 5, "head")
                try requireEqual(page.hasMore, false, "hasMore")
                let first = try await client.store.page(Read(.types("T2"), limit: 1))
                try requireEqual(first.through, 2, "through of a full page")
                try requireEqual(first.hasMore, true, "hasMore of a full page")
            }
        },
    ]
}
