import DiscoCore
import Foundation

extension EventStoreConformance {
    static let conditionCases: [Case] = [
        Case("E32", "a condition fails if an event after its position matches, and names the event") { suite in
            try await suite.withStore { client in
                let seat = event("course-1", "SeatTaken", tags: ["course:1"])
                try await client.append(Append([seat]))
                let failure = try await requireThrows(ConditionFailed.self) {
                    try await client.append(Append([event("x-1")], condition: .init(noneMatch: .tags("course:1"))))
                }
                try requireEqual(failure, ConditionFailed(position: 1, id: seat.id), "match")
                try await client.append(
                    Append([event("x-1")], condition: .init(noneMatch: .tags("course:1"), after: 1)))
                try await client.append(
                    Append([event("x-1")], condition: .init(noneMatch: .types("SeatTaken").tagged("course:2"))))
                try requireEqual(try await client.head(), 3, "head")
            }
        },
        Case("E33", "of appends with overlapping conditions, exactly one succeeds; others do not interfere") { suite in
            try await suite.withStore { client in
                let recorded = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<60 {
                        group.addTask {
                            let tag = EventTag("seat", number % 3)
                            let append = Append(
                                [event(StreamID("student-\(number)"), tags: [tag])],
                                condition: AppendCondition(noneMatch: EventQuery(items: [.init(tags: [tag])])))
                            do {
                                try await client.append(append)
                                return 1
                            } catch is ConditionFailed {
                                return 0
                            }
                        }
                    }
                    return try await group.reduce(0, +)
                }
                try requireEqual(recorded, 3, "winners of three seats")
            }
        },
        Case("E34", "no phantoms: an append sees events recorded since the decision's read") { suite in
            try await suite.withStore { client in
                let enrolled = EventQuery.types("Enrolled").tagged("course:1")
                try await client.append(Append([event("x-1", "Enrolled", tags: ["course:1"]), event("x-1")]))
                let page = try await client.store.page(Read(enrolled))
                let between = event("x-2", "Enrolled", tags: ["course:1"])
                try await client.append(Append([event("x-2"), between]))
                let failure = try await requireThrows(ConditionFailed.self) {
                    try await client.append(
                        Append([event("x-3")], condition: AppendCondition(noneMatch: enrolled, after: page.through)))
                }
                try requireEqual(failure, ConditionFailed(position: 4, id: between.id), "match")
                let again = try await client.store.page(Read(enrolled))
                try await client.append(
                    Append([event("x-3")], condition: AppendCondition(noneMatch: enrolled, after: again.through)))
            }
        },
        Case("E34", "a condition on a name that no event can have is refused") { suite in
            try await suite.withStore { client in
                for query in [
                    EventQuery.types(""), .tags("$x"), .stream("nohyphen"), .category("wallet-1"), .category(""),
                ] {
                    let error = try await requireThrows(EventStoreError.self) {
                        try await client.append(Append([event("a-1")], condition: AppendCondition(noneMatch: query)))
                    }
                    try requireEqual(error.code, .invalidAppend, "code")
                }
            }
        },
    ]

    static let followingCases: [Case] = [
        Case("F35", "a follower catches up, then follows, without gaps or repeats") { suite in
            try await suite.withStore { client in
                for number in 0..<50 { try await client.append(Append([event(StreamID("s-\(number % 5)"))])) }
                let follower = Task {
                    var seen: [Int64] = []
                    var caughtUp = false
                    for try await element in client.subscribe(after: 10) {
                        if case .caughtUp = element { caughtUp = true }
                        if case .event(let event) = element { seen.append(event.position.rawValue) }
                        if seen.count == 140, caughtUp { break }
                    }
                    return (seen, caughtUp)
                }
                for number in 0..<100 { try await client.append(Append([event(StreamID("s-\(number % 5)"))])) }
                let (seen, caughtUp) = try await within(.seconds(20), "following") { try await follower.value }
                try require(caughtUp, "the follower never received `.caughtUp`")
                try requireEqual(seen, Array(11...150), "positions")
            }
        },
        Case("F36", "a follower gets matching events, progress past the rest, and `.caughtUp` at the end") { suite in
            try await suite.withStore { client in
                try await client.append(Append([event("a-1", "T1"), event("a-1", "T2"), event("a-1", "T2")]))
                let first = try await client.events().collect()[0]
                let seen = try await within(.seconds(20), "following") {
                    var seen: [Subscription.Element] = []
                    for try await element in client.subscribe(to: .types("T1")) {
                        seen.append(element)
                        if element == .caughtUp { break }
                    }
                    return seen
                }
                try requireEqual(seen, [.event(first), .progress(3), .caughtUp], "elements")
            }
        },
        Case("F37", "an append through one store wakes up a waiter on the other") { suite in
            try await suite.withBoth { one, other in
                let waiting = Task { try await other.store.wait(beyond: 0) }
                try await one.append(Append([event("a-1")]))
                try await within(.seconds(10), "waking up") { try await waiting.value }
            }
        },
        Case("F38", "a follower resumes by itself after connections are cut and misses nothing") { suite in
            try await suite.withStore { client in
                let follower = Task {
                    var seen: [Int64] = []
                    for try await case .event(let event) in client.subscribe() {
                        seen.append(event.position.rawValue)
                        if seen.count == 60 { break }
                    }
                    return seen
                }
                for round in 0..<3 {
                    for _ in 0..<20 { try await client.append(Append([event(StreamID("s-\(round)"))])) }
                    try await suite.disturb(client.store)
                }
                let seen = try await within(.seconds(60), "following") { try await follower.value }
                try requireEqual(seen, Array(1...60), "positions")
            }
        },
        Case("F39", "a follower that stops reading does not block appends and later gets every event") { suite in
            try await suite.withStore { client in
                try await client.append(Append([event("a-1")]))
                var follower = client.subscribe().makeAsyncIterator()
                var seen: [Int64] = []
                _ = try await follower.next()
                for _ in 0..<10 { try await client.append(Append((0..<300).map { _ in event("b-1") })) }
                while seen.count < 3000, let element = try await follower.next() {
                    if case .event(let event) = element { seen.append(event.position.rawValue) }
                }
                try requireEqual(seen, Array(2...3001), "positions")
            }
        },
        Case("F39", "cancelling a waiting follower ends it at once") { suite in
            try await suite.withStore { client in
                let waits = Waiter<Void>()
                let follower = Task {
                    for try await element in client.subscribe() where element == .caughtUp {
                        waits.settle(.success(()))
                    }
                }
                try await client.append(Append([event("a-1")]))
                try await within(.seconds(20), "catching up") { try await waits.value() }
                try await Task.sleep(for: .milliseconds(20))
                follower.cancel()
                _ = try await within(.seconds(10), "ending") {
                    try await requireThrows(CancellationError.self) { try await follower.value }
                }
                try await client.append(Append([event("a-1")]))
            }
        },
    ]
}
