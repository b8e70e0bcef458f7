import DiscoEventStore
import Foundation
import Logging
import TestSupport
import Testing

@testable import DiscoCore

/// A snapshot store that a test can inspect and fill.
private final class SnapshotShelf: SnapshotStore {
    struct Broken: Error {}

    private let state = Locked((kept: [SnapshotKey: Snapshot](), versions: [Int](), isBroken: false))

    /// The versions of all saved snapshots, in order.
    var versions: [Int] { state.withLock { $0.versions } }
    /// The newest snapshot.
    var latest: Snapshot? { state.withLock { $0.kept.values.max { $0.version < $1.version } } }

    func put(_ snapshot: Snapshot) { state.withLock { $0.kept[snapshot.key] = snapshot } }
    func breakDown() { state.withLock { $0.isBroken = true } }

    func snapshot(_ key: SnapshotKey) async throws -> Snapshot? {
        try state.withLock { state in
            if state.isBroken { throw Broken() }
            return state.kept[key]
        }
    }

    func save(_ snapshot: Snapshot) async throws {
        try state.withLock { state in
            if state.isBroken { throw Broken() }
            state.kept[snapshot.key] = snapshot
            state.versions.append(snapshot.version)
        }
    }

    func delete(_ key: SnapshotKey) async throws { state.withLock { $0.kept[key] = nil } }
}

/// Random numbers that depend only on the seed ("SplitMix64").
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

@Suite(.timeLimit(.minutes(1))) struct SnapshotTests {
    private let store = InMemoryEventStore(.init(allowsErasing: true))
    private let shelf = SnapshotShelf()
    private let log = LogCollector()
    /// How many events were read.
    private let read = Locked(0)

    private func client(snapshots: (any SnapshotStore)?) -> EventStoreClient {
        let (store, read) = (store, read)
        var abilities = store.abilities
        abilities.snapshots = snapshots
        return EventStoreClient(
            HookedEventStore(
                store, abilities: abilities, context: StoreContext(logger: log.logger()),
                page: { asked in
                    let page = try await store.page(asked)
                    read.withLock { $0 += page.events.count }
                    return page
                }))
    }

    private func orchestrator(
        _ ledger: any Aggregate.Type, snapshots: (any SnapshotStore)? = nil, cached: Int = 10_000
    ) -> Orchestrator {
        var settings = Orchestrator.Settings()
        settings.cachedAggregates = cached
        return Orchestrator(
            client: client(snapshots: snapshots ?? shelf), aggregates: [ledger], settings: settings)
    }

    /// Records events of the ledger `a`, the n-th of which adds n, and opens the ledger once to save a snapshot.
    private func keep(_ events: Int) async throws -> Snapshot {
        let new = try (1...events).map {
            try LedgerEvent.entryAdded(amount: $0, memo: "memo \($0)").recorded(in: "ledger-a")
        }
        _ = try await store.append(Append(new))
        try await orchestrator(Ledger.self).dispatch(AddEntry<Ledger>(id: "a", amount: 0, memo: "first"))
        return try #require(shelf.latest)
    }

    private func sum(_ events: Int) -> Int { events * (events + 1) / 2 }

    // MARK: Opening

    @Test func aLongAggregateOpensFromItsSnapshotAndReadsOnlyLaterEvents() async throws {
        let snapshot = try await keep(5_000)
        #expect(snapshot.version == 5_000)
        for amount in 1...7 {
            let event = LedgerEvent.entryAdded(amount: amount, memo: "later")
            _ = try await store.append(Append([try event.recorded(in: "ledger-a")]))
        }
        read.withLock { $0 = 0 }
        let opened = try await orchestrator(Ledger.self).dispatch(AddEntry<Ledger>(id: "a", amount: 1))
        #expect(opened.state.sum == sum(5_000) + 28 + 1)
        #expect(opened.state.entries == 5_009)
        #expect(opened.version == 5_009)
        // Eight events follow the snapshot; the event at its version is read again, since it may have been erased.
        #expect(read.withLock { $0 } <= 9)
        #expect(log.messages == [])
    }

    @Test func aSnapshotIsSavedAfterEachHundredEvents() async throws {
        let one = orchestrator(Ledger.self)
        for _ in 0..<250 { try await one.dispatch(AddEntry<Ledger>(id: "a", amount: 1)) }
        #expect(shelf.versions == [100, 200])
        #expect(try shelf.latest?.state.decode(Ledger.self).sum == 200)
    }

    @Test func afterAConflictWithTooManyEventsReadingContinuesFromTheKnownState() async throws {
        let one = orchestrator(Ledger.self)
        _ = try await keep(2_000)
        try await one.dispatch(AddEntry<Ledger>(id: "a", amount: 0))
        let others = try (0..<150).map { _ in
            try LedgerEvent.entryAdded(amount: 1, memo: "").recorded(in: "ledger-a")
        }
        _ = try await store.append(Append(others))
        read.withLock { $0 = 0 }
        let added = try await one.dispatch(AddEntry<Ledger>(id: "a", amount: 1))
        #expect(added.state.sum == sum(2_000) + 151)
        #expect(added.conflicts == 1)
        #expect(read.withLock { $0 } <= 151)
    }

    @Test func aSnapshotOfAnotherMeaningOfTheStateIsIgnored() async throws {
        _ = try await keep(200)
        let recounted = try await orchestrator(Recounted.Ledger.self)
            .dispatch(AddEntry<Recounted.Ledger>(id: "a", amount: 1))
        #expect(recounted.state.sum == 10 * (sum(200) + 1))
        // It saves its own snapshot and leaves the other unchanged.
        #expect(shelf.versions == [200, 201])
        let again = try await orchestrator(Ledger.self).dispatch(AddEntry<Ledger>(id: "a", amount: 1))
        #expect(again.state.sum == sum(200) + 2)
        #expect(log.messages == [])
    }

    @Test func aSnapshotOfAnotherShapeIsIgnored() async throws {
        _ = try await keep(200)
        let renamed = orchestrator(Reshaped.Ledger.self)
        let opened = try await renamed.dispatch(AddEntry<Reshaped.Ledger>(id: "a", amount: 1, memo: "last"))
        #expect(opened.state.sum == sum(200) + 1)
        #expect(opened.state.entries == 202)
        read.withLock { $0 = 0 }
        let again = try await orchestrator(Reshaped.Ledger.self)
            .dispatch(AddEntry<Reshaped.Ledger>(id: "a", amount: 1))
        #expect(again.state.entries == 203)
        #expect(read.withLock { $0 } < 10)
    }

    @Test(arguments: [
        "{}", "null", "[1,2]", #"{"id":"a","sum":"many","entries":1}"#,
        #"{"id":"b","sum":777,"entries":777,"memo":"of another"}"#,
    ])
    func aSnapshotThatDoesNotFitTheStateIsIgnoredWithAWarning(state: String) async throws {
        let kept = try await keep(200)
        shelf.put(Snapshot(key: kept.key, version: kept.version, state: try JSONText(state)))
        let opened = try await orchestrator(Ledger.self).dispatch(AddEntry<Ledger>(id: "a", amount: 1))
        #expect(opened.state.sum == sum(200) + 1)
        #expect(opened.state.id == "a")
        #expect(opened.version == 202)
        #expect(log.messages.count == 1)
        #expect(log.messages.first?.contains("ledger-a") == true)
        #expect(log.levels == [.warning])
    }

    @Test func aSnapshotThatIsNotEvenJSONIsIgnored() async throws {
        let kept = try await keep(200)
        let damaged = JSONText(unchecked: Array("{\"id\":\"a\",\"su".utf8))
        shelf.put(Snapshot(key: kept.key, version: kept.version, state: damaged))
        let opened = try await orchestrator(Ledger.self).dispatch(AddEntry<Ledger>(id: "a", amount: 1))
        #expect(opened.state.sum == sum(200) + 1)
        #expect(log.levels == [.warning])
    }

    @Test(arguments: [-1, 0, 202, 999, .max])
    func aSnapshotOfAVersionThatDoesNotExistIsIgnored(version: Int) async throws {
        let kept = try await keep(200)
        let state: JSONText = #"{"id":"a","sum":777,"entries":777,"memo":"never"}"#
        shelf.put(Snapshot(key: kept.key, version: version, state: state))
        let opened = try await orchestrator(Ledger.self).dispatch(AddEntry<Ledger>(id: "a", amount: 1, memo: "last"))
        #expect(opened.state.sum == sum(200) + 1)
        #expect(opened.state.entries == 202)
        #expect(opened.version == 202)
    }

    @Test func aSnapshotWhoseEventsWereErasedIsIgnored() async throws {
        let kept = try await keep(200)
        try await EventStoreClient(store).erase("ledger-a", close: false)
        shelf.put(kept)
        let opened = try await orchestrator(Ledger.self).dispatch(AddEntry<Ledger>(id: "a", amount: 1))
        #expect(opened.state.sum == 1)
        #expect(opened.state.entries == 1)
        #expect(opened.version == 202)
        shelf.put(kept)
        let again = try await orchestrator(Ledger.self).dispatch(AddEntry<Ledger>(id: "a", amount: 1))
        #expect(again.state.sum == 2)
    }

    @Test func erasingAStreamErasesItsSnapshotsToo() async throws {
        let one = Orchestrator(client: EventStoreClient(store), aggregates: [Often.Ledger.self])
        for _ in 0..<10 { try await one.dispatch(AddEntry<Often.Ledger>(id: "a", amount: 1, memo: "secret")) }
        let key = SnapshotKey(
            stream: "ledger-a", name: "Ledger", fingerprint: "1:\(Shape.read(Often.Ledger.self).shape.fingerprint)")
        #expect(try await store.snapshot(key)?.version == 9)
        try await EventStoreClient(store).erase("ledger-a", close: false)
        #expect(try await store.snapshot(key) == nil)
    }

    // MARK: Trouble

    @Test func aSnapshotStoreThatThrowsCausesOnlyAWarning() async throws {
        shelf.breakDown()
        let one = orchestrator(Often.Ledger.self)
        for _ in 0..<5 { try await one.dispatch(AddEntry<Often.Ledger>(id: "a", amount: 2)) }
        let opened = try await orchestrator(Often.Ledger.self).dispatch(AddEntry<Often.Ledger>(id: "a", amount: 2))
        #expect(opened.state.sum == 12)
        #expect(opened.version == 6)
        #expect(!log.messages.isEmpty)
        #expect(log.levels.allSatisfy { $0 == .warning })
        #expect(log.messages.allSatisfy { $0.contains("ledger-a") })
        #expect(shelf.versions == [])
    }

    @Test func aStoreWithoutSnapshotsServesAggregatesThatUseThem() async throws {
        let client = client(snapshots: nil)
        let one = Orchestrator(client: client, aggregates: [Often.Ledger.self])
        for _ in 0..<10 { try await one.dispatch(AddEntry<Often.Ledger>(id: "a", amount: 1)) }
        let other = Orchestrator(client: client, aggregates: [Often.Ledger.self])
        #expect(try await other.dispatch(AddEntry<Often.Ledger>(id: "a", amount: 1)).state.sum == 11)
        // Each orchestrator logs it once.
        #expect(log.levels == [.warning, .warning])
    }

    @Test func anAggregateWhoseShapeCannotBeReadHasNoSnapshotsAndLogsWhy() async throws {
        for _ in 0..<2 {
            let one = orchestrator(Picky.self)
            for _ in 0..<3 { try await one.dispatch(AddEntry<Picky>(id: "a", amount: 1)) }
        }
        #expect(shelf.versions == [])
        #expect(log.levels == [.warning, .warning])
        let sentence = "because of Code. Conform it (or its CodingKeys) to CaseIterable, or to ExampleProviding."
        #expect(log.messages.allSatisfy { $0.contains(sentence) }, "\(log.messages)")
    }

    // MARK: Results

    @Test(arguments: 1...20)
    func snapshotsNeverChangeResults(seed: Int) async throws {
        var random = Seeded(state: UInt64(seed))
        let plain = Orchestrator(client: EventStoreClient(InMemoryEventStore()), aggregates: [Ledger.self])
        var kept = [orchestrator(Often.Ledger.self, cached: 0), orchestrator(Often.Ledger.self, cached: 2)]
        for step in 0..<60 {
            let id = ["a", "b", "c"].randomElement(using: &random) ?? "a"
            let (amount, memo) = (Int.random(in: -100...100, using: &random), "memo \(step)")
            let expected = try await plain.dispatch(AddEntry<Ledger>(id: id, amount: amount, memo: memo))
            let one = kept.randomElement(using: &random) ?? kept[0]
            let opened = try await one.dispatch(AddEntry<Often.Ledger>(id: id, amount: amount, memo: memo))
            #expect(opened.state.sum == expected.state.sum)
            #expect(opened.state.entries == expected.state.entries)
            #expect(opened.state.memo == expected.state.memo)
            #expect(opened.version == expected.version)
            // Now and then an orchestrator starts with an empty cache.
            if Int.random(in: 0..<8, using: &random) == 0 { kept[1] = orchestrator(Often.Ledger.self, cached: 2) }
        }
        #expect(!shelf.versions.isEmpty)
        #expect(log.messages == [])
    }

    @Test func aRepeatReturnsItsFirstResultThoughALaterSnapshotExists() async throws {
        let one = orchestrator(Often.Ledger.self)
        for _ in 0..<4 { try await one.dispatch(AddEntry<Often.Ledger>(id: "a", amount: 1)) }
        try await one.dispatch(AddEntry<Often.Ledger>(id: "a", amount: 10), key: "k")
        for _ in 0..<10 { try await one.dispatch(AddEntry<Often.Ledger>(id: "a", amount: 1)) }
        let again = try await orchestrator(Often.Ledger.self)
            .dispatch(AddEntry<Often.Ledger>(id: "a", amount: 10), key: "k")
        #expect(again.repeated)
        #expect(again.state.sum == 14)
        #expect(again.version == 5)
        let next = try await orchestrator(Often.Ledger.self).dispatch(AddEntry<Often.Ledger>(id: "a", amount: 1))
        #expect(next.state.sum == 25)
    }
}
