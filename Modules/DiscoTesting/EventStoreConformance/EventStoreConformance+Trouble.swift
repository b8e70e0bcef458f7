import DiscoCore
import Foundation

extension EventStoreConformance {
    static let troubleCases: [Case] = [
        Case("J52", "appends and reads cancelled before they start have no effect") { suite in
            try await suite.withStore { client in
                for _ in 0..<20 {
                    let append = Task {
                        withUnsafeCurrentTask { $0?.cancel() }
                        return try await client.append(Append([event("a-1")]))
                    }
                    try await requireThrows(CancellationError.self) { _ = try await append.value }
                }
                let read = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await client.events().collect()
                }
                try await requireThrows(CancellationError.self) { _ = try await read.value }
                try requireEqual(try await client.head(), 0, "head")
            }
        },
        Case("J52", "an append cancelled at any moment is recorded whole or not at all, as its result says") {
            suite in
            try await suite.withStore { client in
                let recorded = try await withThrowingTaskGroup(of: [UUID]?.self) { group in
                    for number in 0..<200 {
                        group.addTask {
                            let events = (0..<3).map { event(StreamID("s-\(number)-\($0)")) }
                            let append = Task { try await client.append(Append(events)) }
                            for _ in 0..<number % 40 { await Task.yield() }
                            append.cancel()
                            do {
                                _ = try await append.value
                                return events.map(\.id)
                            } catch is CancellationError {
                                return nil
                            }
                        }
                    }
                    return try await group.reduce(into: Set<UUID>()) { $0.formUnion($1 ?? []) }
                }
                let stored = try await client.events().collect()
                try requireEqual(Set(stored.map(\.id)), recorded, "stored ids")
                try requireEqual(stored.map(\.position.rawValue), (0..<stored.count).map { Int64($0) + 1 }, "positions")
                let next = try await within(.seconds(10), "the next append") {
                    try await client.append(Append([event("a-1")]))
                }
                try requireEqual(next.events.count, 1, "events")
            }
        },
        Case("J52", "cancelled reads end and leave the store usable") { suite in
            try await suite.withStore { client in
                try await client.append(Append((0..<5000).map { event(StreamID("s-\($0 % 10)")) }))
                let reads = (0..<20).map { number in
                    Task {
                        let events = client.events(.tags("none").or(.category("s")), pageSize: 50)
                        for try await _ in events where number.isMultiple(of: 3) { await Task.yield() }
                    }
                }
                for read in reads {
                    await Task.yield()
                    read.cancel()
                }
                try await within(.seconds(10), "ending") {
                    for read in reads {
                        do { try await read.value } catch is CancellationError {}
                    }
                }
                try requireEqual(try await client.events().collect().count, 5000, "events")
            }
        },
    ]
}
