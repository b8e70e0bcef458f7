import DiscoCore
import Foundation

extension EventStoreConformance {
    static let orderCases: [Case] = [
        Case("D27", "an empty store has head 0, and reading it ends at once") { suite in
            try await suite.withStore { client in
                let page = try await client.store.page(Read())
                try requireEqual(page, Page(events: [], through: 0, head: 0, hasMore: false, throughID: nil), "page")
            }
        },
        Case("D28", "the order within each stream agrees with the total order") { suite in
            try await suite.withStore { client in
                let stored = try await winners(of: 200, [client]) { Append([event(StreamID("s-\($0 % 7)"))]) }
                try requireEqual(stored, 200, "stored")
                var versions: [StreamID: Int] = [:]
                for try await event in client.events() {
                    try requireEqual(event.version, (versions[event.stream] ?? 0) + 1, "version in \(event.stream)")
                    versions[event.stream] = event.version
                }
            }
        },
        Case("D29", "a follower sees every event once and in order while two stores append") { suite in
            try await suite.withBoth { one, other in
                let follower = Task {
                    var seen: [Int64] = []
                    for try await case .event(let event) in one.subscribe() {
                        seen.append(event.position.rawValue)
                        if seen.count == 400 { break }
                    }
                    return seen
                }
                let stored = try await winners(of: 400, [one, other]) { Append([event(StreamID("s-\($0 % 20)"))]) }
                try requireEqual(stored, 400, "stored")
                let seen = try await within(.seconds(20), "following") { try await follower.value }
                try requireEqual(seen, Array(1...400), "positions")
            }
        },
        Case("D30", "a refused or failed append leaves no gap and does not stall later appends") { suite in
            try await suite.withStore { client in
                let broken = NewEvent(stream: "x-1", type: "T", payload: JSONText(unchecked: [0xFF]))
                try await client.append(Append([event("a-1")]))
                for append in [
                    Append([event("a-1"), event("b-1")], expect: ["b-1": .streamExists]),
                    Append([event("a-1"), broken]),
                    Append([event("a-1")], condition: AppendCondition(noneMatch: .all)),
                ] {
                    try await requireThrows((any Error).self) { try await client.append(append) }
                }
                let next = try await within(.seconds(10), "the next append") {
                    try await client.append(Append([event("a-1")]))
                }
                try requireEqual(next.first, 2, "next position")
                try requireEqual(next.version(of: "a-1"), 2, "next version")
            }
        },
        Case("D31", "a page moves past events that do not match and names the event it ends at") { suite in
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
        Case("D31", "positions, versions, ids and times survive a restart, and numbering continues") { suite in
            try await suite.acrossRestart { client in
                try await sample(client)
                return (try await client.store.identity(), try await client.events().collect())
            } _: { client, kept in
                try requireEqual(try await client.store.identity(), kept.0, "identity")
                try requireEqual(try await client.events().collect(), kept.1, "events")
                let next = try await client.append(Append([event("a-1")]))
                try requireEqual(next.events.map(\.position), [6], "next position")
                try requireEqual(next.events.map(\.version), [4], "next version")
            }
        },
    ]
}
