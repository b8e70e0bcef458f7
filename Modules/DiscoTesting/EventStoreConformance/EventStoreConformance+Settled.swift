import DiscoCore
import Foundation

/// The time up to which everything is visible.
extension EventStoreConformance {
    static let settledCases: [Case] = [
        Case("A10", "an event recorded after a page is later than the page's settled time") { suite in
            try await suite.withStore { client in
                for number in 0..<20 {
                    var read = Read(limit: 0)
                    read.settles = number.isMultiple(of: 3)
                    let page = try await client.store.page(read)
                    try await client.append(Append([event("a-1"), event("b-1")]))
                    let later = try await client.events(after: page.head).collect()
                    try requireEqual(later.count, 2, "events after the page")
                    guard let settled = page.settled else {
                        try requireEqual(page.head, 0, "the head of a page without a settled time")
                        continue
                    }
                    for event in later {
                        try require(event.recordedAt > settled, "\(event.recordedAt) is not later than \(settled)")
                    }
                    for event in try await client.events(asOf: settled).collect() {
                        try require(event.position <= page.head, "\(event.position) is beyond \(page.head)")
                    }
                }
            }
        },
        Case("A10", "the settled time never decreases and advances with new events") { suite in
            try await suite.withStore { client in
                var last = Date.distantPast
                for number in 0..<10 {
                    try await client.append(Append([event("a-1")]))
                    var read = Read(after: 3, limit: 1)
                    read.settles = number == 5
                    let page = try await client.store.page(read)
                    let settled = try requireValue(page.settled, "the settled time")
                    try require(settled >= last, "\(settled) is before \(last)")
                    last = settled
                }
            }
        },
        Case("A10", "on request, the settled time reaches the present even if nothing is recorded") { suite in
            try suite.requireSettableClock()
            let now = Locked(Date(timeIntervalSince1970: 1_700_000_000))
            let options = Options(context: StoreContext(now: { now.withLock { $0 } }))
            try await suite.withStore(options) { client in
                try requireEqual(try await client.store.page(Read()).settled, nil, "the settled time of an empty store")
                var read = Read(limit: 0)
                read.settles = true
                for seconds in [1_700_000_000, 1_700_000_060] as [Double] {
                    now.withLock { $0 = Date(timeIntervalSince1970: seconds) }
                    let settled = try await client.store.page(read).settled
                    try requireEqual(settled, Date(timeIntervalSince1970: seconds), "the settled time")
                }
                // The settled time holds even if the clock is set back.
                now.withLock { $0 = Date(timeIntervalSince1970: 1_600_000_000) }
                try await client.append(Append([event("a-1")]))
                let recorded = try requireValue(try await client.events().collect().first, "the event")
                try require(
                    recorded.recordedAt > Date(timeIntervalSince1970: 1_700_000_060),
                    "the recorded time is \(recorded.recordedAt)")
                let settled = try requireValue(try await client.store.page(read).settled, "the settled time")
                try require(settled >= Date(timeIntervalSince1970: 1_700_000_060), "the settled time is \(settled)")
            }
        },
        Case("A10", "the settled time holds for appends through another store on the same data") { suite in
            try await suite.withBoth { one, other in
                var read = Read(limit: 0)
                read.settles = true
                for _ in 0..<10 {
                    let page = try await one.store.page(read)
                    let settled = try requireValue(page.settled, "the settled time")
                    try await other.append(Append([event("a-1")]))
                    for event in try await one.events(after: page.head).collect() {
                        try require(event.recordedAt > settled, "\(event.recordedAt) is not later than \(settled)")
                    }
                }
            }
        },
        Case("A10", "the settled time holds during concurrent appends") { suite in
            try await suite.withStore { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<4 {
                        group.addTask {
                            for _ in 0..<25 { try await client.append(Append([event(StreamID("w-\(writer)"))])) }
                        }
                    }
                    group.addTask {
                        var read = Read(limit: 0)
                        read.settles = true
                        for _ in 0..<25 {
                            let page = try await client.store.page(read)
                            guard let settled = page.settled else { continue }
                            let next = try await client.events(after: page.head, limit: 1).collect().first
                            if let next { try require(next.recordedAt > settled, "\(next.recordedAt), \(settled)") }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        },
    ]
}
