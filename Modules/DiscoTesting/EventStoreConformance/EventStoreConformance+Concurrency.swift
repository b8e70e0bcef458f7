import DiscoCore
import Foundation

extension EventStoreConformance {
    /// How many of `count` concurrent appends were recorded; the others must fail with a version conflict or a failed
    /// condition.
    static func winners(
        of count: Int, _ clients: [EventStoreClient], _ append: @escaping @Sendable (Int) -> Append
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<count {
                let client = clients[number % clients.count]
                group.addTask {
                    do {
                        try await client.append(append(number))
                        return 1
                    } catch is VersionConflict {
                        return 0
                    } catch is ConditionFailed {
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
    }

    static let concurrencyCases: [Case] = [
        Case("B14", "each expected version is checked, and the conflict lists the unseen events") { suite in
            try await suite.withStore { client in
                try await client.append(Append((0..<150).map { _ in event("a-1") }))
                let allowed: [(StreamID, ExpectedVersion)] = [
                    ("a-1", .any), ("a-1", .streamExists), ("a-1", .exactly(150)), ("new-1", .any),
                    ("new-2", .noStream),
                    ("new-3", .exactly(0)),
                ]
                for (stream, expected) in allowed {
                    try await client.append(Append([], expect: [stream: expected]))
                }
                let refused: [(StreamID, ExpectedVersion, actual: Int, unseen: [Int], complete: Bool)] = [
                    ("a-1", .noStream, 150, [], false), ("none-1", .streamExists, 0, [], false),
                    ("a-1", .exactly(148), 150, [149, 150], true), ("a-1", .exactly(151), 150, [], false),
                    ("none-1", .exactly(1), 0, [], false), ("a-1", .exactly(10), 150, Array(11...110), false),
                ]
                for (stream, expected, actual, unseen, complete) in refused {
                    let conflict = try await requireThrows(VersionConflict.self) {
                        try await client.append(Append([event(stream)], expect: [stream: expected]))
                    }
                    let entry = conflict.streams.first
                    try requireEqual(entry?.stream, stream, "stream")
                    try requireEqual(entry?.expected, expected, "expected version")
                    try requireEqual(entry?.actual, actual, "actual version")
                    try requireEqual(entry?.unseen.map(\.version), unseen, "unseen versions for \(expected)")
                    try requireEqual(entry?.complete, complete, "complete for \(expected)")
                }
                try requireEqual(try await client.head(), 150, "head")
            }
        },
        Case("B15", "of 50 concurrent appends with one expected version, exactly one succeeds") { suite in
            try await suite.withStore { client in
                let created = try await winners(of: 50, [client]) { _ in
                    Append([event("a-1")], expect: ["a-1": .noStream])
                }
                try requireEqual(created, 1, "creators")
                let changed = try await winners(of: 50, [client]) { _ in
                    Append([event("a-1")], expect: ["a-1": .exactly(1)])
                }
                try requireEqual(changed, 1, "writers")
            }
        },
        Case("B16", "50 concurrent `.any` appends to one stream are all stored without gaps") { suite in
            try await suite.withStore { client in
                let stored = try await winners(of: 50, [client]) { _ in Append([event("a-1")]) }
                try requireEqual(stored, 50, "stored")
                let versions = try await client.events(in: "a-1").collect().map(\.version)
                try requireEqual(versions, Array(1...50), "versions")
            }
        },
        Case("B18", "refused, malformed and cancelled appends do not affect concurrent ones") { suite in
            try await suite.withStore { client in
                try await client.append(Append([event("taken-1")]))
                let recorded = try await withThrowingTaskGroup(of: UUID?.self) { group in
                    for number in 0..<64 {
                        group.addTask {
                            let payload = number == 1 ? JSONText(unchecked: Array("{".utf8)) : "{}"
                            let new = event(StreamID("s-\(number)"), "T", payload)
                            let append = Append([new], expect: number == 0 ? ["taken-1": .noStream] : [:])
                            let task = Task { try await client.append(append) }
                            if number % 8 == 2 { task.cancel() }
                            do {
                                _ = try await task.value
                                return new.id
                            } catch is CancellationError {
                                return nil
                            } catch  where number < 2 {
                                return nil
                            }
                        }
                    }
                    return try await group.reduce(into: Set<UUID>()) { ids, id in if let id { ids.insert(id) } }
                }
                let stored = Set(try await client.events(after: 1).collect().map(\.id))
                try requireEqual(stored, recorded, "stored ids")
                try require(recorded.count >= 54, "only \(recorded.count) of 54 undisturbed appends were recorded")
            }
        },
        Case("B17", "writers to different streams never conflict") { suite in
            try await suite.withStore { client in
                let stored = try await winners(of: 50, [client]) { number in
                    Append([event(StreamID("s-\(number)"))], expect: [StreamID("s-\(number)"): .noStream])
                }
                try requireEqual(stored, 50, "stored")
            }
        },
        Case("B19", "with two stores on one database, exactly one creator wins and no append is lost") { suite in
            try await suite.withBoth { one, other in
                let created = try await winners(of: 50, [one, other]) { _ in
                    Append([event("a-1")], expect: ["a-1": .noStream])
                }
                try requireEqual(created, 1, "creators")
                let stored = try await winners(of: 100, [one, other]) { _ in Append([event("b-1")]) }
                try requireEqual(stored, 100, "stored")
                let versions = try await other.events(in: "b-1").collect().map(\.version)
                try requireEqual(versions, Array(1...100), "versions")
            }
        },
    ]
}
