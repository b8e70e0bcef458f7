#if HTTP
import DiscoCore
import DiscoEventStore
@testable import DiscoEventStoreServer
import DiscoEventStoreSQLite
import DiscoHTTPSupport
import Foundation
import HTTPTypes
import TestSupport
import Testing

/// Callers with prefixes learn nothing beyond them, on a store in memory and on SQLite.
@Suite(.timeLimit(.minutes(2))) struct RestrictedEventStoreTests {
    enum Kind: CaseIterable { case memory, sqlite }

    /// A store with streams of two tenants, and what each of them sees.
    struct Tenants {
        let folder: TemporaryFolder
        let store: any EventStore
        let a: any EventStore
        let b: any EventStore

        init(_ kind: Kind) async throws {
            folder = try TemporaryFolder()
            switch kind {
            case .memory: store = InMemoryEventStore(.init(allowsErasing: true))
            case .sqlite:
                var settings = SQLiteEventStore.Settings(path: folder.events)
                settings.allowsErasing = true
                store = try await SQLiteEventStore.open(settings)
            }
            a = RestrictedEventStore.view(of: store, for: Caller(name: "a", prefixes: ["a-"]))
            b = RestrictedEventStore.view(of: store, for: Caller(name: "b", prefixes: ["b-"]))
        }

        func view(_ prefixes: [String], scopes: Set<AccessScope> = Set(AccessScope.allCases)) -> any EventStore {
            RestrictedEventStore.view(of: store, for: Caller(name: "x", prefixes: prefixes, scopes: scopes))
        }
    }

    func event(_ stream: String, _ type: String = "T", id: UUID = UUID(), tags: [EventTag] = []) -> NewEvent {
        NewEvent(id: id, stream: StreamID(stream), type: type, payload: "{}", tags: tags)
    }

    func problem(_ body: () async throws -> Void) async -> Problem? {
        do {
            try await body()
            return nil
        } catch { return Problem(error) }
    }

    @Test(arguments: Kind.allCases) func readsAreFiltered(kind: Kind) async throws {
        let tenants = try await Tenants(kind)
        let base = tenants.store
        for index in 1...5 {
            _ = try await base.append(
                Append([event("a-\(index)", tags: ["x"]), event("b-\(index)", "Secret", tags: ["x"])]))
        }
        let client = EventStoreClient(tenants.a)
        let queries: [EventQuery] = [
            .all, .tags("x"), .types("T", "Secret"), .category("a").or(.category("b")),
            .stream("a-1").or(.stream("b-1")),
        ]
        for query in queries {
            for direction in [Read.Direction.forward, .backward] {
                for size in [1, 2, 1000] {
                    let seen = try await client.events(query, direction: direction, pageSize: size).collect()
                    #expect(seen.allSatisfy { $0.stream.category == "a" })
                    #expect(seen.count == (query.items.first?.stream == nil ? 5 : 1))
                }
            }
        }
        for query in [EventQuery.types("Secret"), .category("b"), .stream("b-1"), EventQuery(items: [])] {
            let page = try await tenants.a.page(Read(query))
            #expect(page.events.isEmpty)
            #expect(page.through == 10)
            #expect(page.head == 10)
            #expect(!page.hasMore)
        }
        #expect(try await client.version(of: "b-1") == 0)
        #expect(try await client.events(in: "b-1").collect().isEmpty)
        #expect(try await client.version(of: "a-1") == 1)
        let outside = try #require(try await base.page(Read(.category("b"), limit: 1)).events.first)
        let inside = try #require(try await base.page(Read(.category("a"), limit: 1)).events.first)
        #expect(try await client.event(outside.id) == nil)
        #expect(try await client.event(inside.id) == inside)
        #expect(try await client.streams().map(\.stream.name) == (1...5).map { "a-\($0)" })
        #expect(try await client.streams(prefix: "b").isEmpty)
        #expect(try await client.streams(category: "b").isEmpty)
        #expect(try await client.streams(after: "a-2", limit: 2).map(\.stream.name) == ["a-3", "a-4"])
        #expect(try await client.streams(after: "b-2").isEmpty)
        let both = EventStoreClient(tenants.view(["b-", "a-4", "a-2"]))
        #expect(try await both.streams(limit: 4).map(\.stream.name) == ["a-2", "a-4", "b-1", "b-2"])
        #expect(try await both.streams(after: "b-4").map(\.stream.name) == ["b-5"])
        await base.close()
    }

    /// The id of an event is not a number only, and neither is the time when it was recorded.
    @Test(arguments: Kind.allCases) func pagesDoNotTellIDsAndTimesOfOthers(kind: Kind) async throws {
        let tenants = try await Tenants(kind)
        _ = try await tenants.store.append(Append([event("a-1"), event("b-1"), event("a-2"), event("b-2")]))
        for view in [tenants.a, tenants.view(["a"]), tenants.view(["a-1", "a-2"])] {
            for after in 0...4 {
                let after = Position(rawValue: Int64(after))
                let page = try await view.page(Read(after: after, limit: 0))
                let known = try await tenants.store.page(Read(after: after, limit: 0))
                #expect(page.through == known.through)
                #expect(page.throughID == (after == 1 || after == 3 ? known.throughID : nil))
                #expect(page.settled == nil)
            }
            #expect(try await view.page(Read()).throughID == nil)
            #expect(try await view.page(Read(upTo: 3)).throughID != nil)
            #expect(try await view.page(Read(.types("None"), upTo: 3)).throughID != nil)
            var settling = Read(limit: 0)
            settling.settles = true
            #expect(try await view.page(settling).settled != nil)
        }
        await tenants.store.close()
    }

    /// Prefixes within a category cannot be asked of the store, so pages are picked from what it answers.
    @Test(arguments: Kind.allCases) func pagesArePickedForPrefixesWithinACategory(kind: Kind) async throws {
        let tenants = try await Tenants(kind)
        let names = (0..<1500).map { $0 % 300 == 7 ? "a-in\($0)" : "a-out\($0)" }
        for start in stride(from: 0, to: 1500, by: 500) {
            _ = try await tenants.store.append(Append(names[start..<start + 500].map { event($0) }))
        }
        for prefix in ["a-in", "a-i"] {
            let client = EventStoreClient(tenants.view([prefix]))
            for size in [1, 2, 3, 1000] {
                for direction in [Read.Direction.forward, .backward] {
                    let seen = try await client.events(direction: direction, pageSize: size).collect()
                    let wanted = names.filter { $0.hasPrefix("a-in") }
                    #expect(seen.map(\.stream.name) == (direction == .forward ? wanted : wanted.reversed()))
                }
            }
            let page = try await client.store.page(Read(limit: 2))
            #expect(page.events.map(\.position) == [8, 308])
            #expect(page.through == 308)
            #expect(page.throughID == page.events.last?.id)
            #expect(page.hasMore)
            let last = try await client.store.page(Read(after: 900, limit: 2))
            #expect(last.events.map(\.position) == [908, 1208])
            let small = try await client.store.page(Read(limit: 100, byteLimit: 1))
            #expect(small.events.count == 1)
            #expect(try await client.version(of: "a-in7") == 1)
            #expect(try await client.version(of: "a-out8") == 0)
        }
        // A reader for whom there is nothing does not hold up the store for ever, and gets on.
        let nothing = try await tenants.view(["a-none"]).page(Read(limit: 1))
        #expect(nothing.events.isEmpty)
        #expect(nothing.through == 1500)
        await tenants.store.close()
    }

    @Test(arguments: Kind.allCases) func streamsOutsideAreNotTouched(kind: Kind) async throws {
        let tenants = try await Tenants(kind)
        _ = try await tenants.store.append(Append([event("b-1"), event("a-1")]))
        let (a, abilities) = (EventStoreClient(tenants.a), tenants.a.abilities)
        let deletion = try #require(abilities.deletion)
        let snapshots = try #require(abilities.snapshots)
        // The same whether it exists.
        for stream in ["b-1", "b-2"] as [StreamID] {
            let key = SnapshotKey(stream: stream, name: "S", fingerprint: "f")
            let calls: [() async throws -> Void] = [
                { try await a.delete(stream) }, { try await a.restore(stream) }, { try await a.erase(stream) },
                { _ = try await deletion.isDeleted(stream) }, { _ = try await snapshots.snapshot(key) },
                { try await snapshots.save(Snapshot(key: key, version: 1, state: "{}")) },
                { try await snapshots.delete(key) },
            ]
            for call in calls {
                let problem = await problem(call)
                #expect(problem?.status == .forbidden)
                #expect(problem?.message == "The token does not allow the stream \(stream).")
            }
        }
        let refused: [() async throws -> Void] = [
            { try await a.forgetKeys(storedBefore: Date()) }, { _ = try await a.verify() },
            { _ = try await a.count(upTo: 2) },
        ]
        for call in refused {
            let problem = await problem(call)
            #expect(problem?.status == .forbidden)
            #expect(problem?.code == "not_for_prefixes")
        }
        let key = SnapshotKey(stream: "a-1", name: "S", fingerprint: "f")
        try await snapshots.save(Snapshot(key: key, version: 1, state: "{}"))
        #expect(try await snapshots.snapshot(key) != nil)
        try await a.delete("a-1")
        #expect(try await deletion.isDeleted("a-1"))
        try await a.restore("a-1")
        try await a.erase("a-1")
        #expect(try await EventStoreClient(tenants.store).version(of: "b-1") == 1)
        #expect(tenants.a.abilities.load == nil)
        // Closing the view does not close the store.
        await tenants.a.close()
        #expect(try await EventStoreClient(tenants.store).head() == 2)
        await tenants.store.close()
    }

    /// For Swift's strings these are one stream.
    @Test(arguments: Kind.allCases) func streamsThatOnlyLookAlikeAreOthers(kind: Kind) async throws {
        let tenants = try await Tenants(kind)
        let composed = EventStoreClient(tenants.view(["a-\u{E9}"]))
        _ = try await tenants.store.append(Append([event("a-e\u{301}1", "Secret"), event("a-\u{E9}1")]))
        #expect(try await composed.events().collect().map(\.type) == ["T"])
        #expect(try await composed.version(of: "a-e\u{301}1") == 0)
        #expect(try await composed.streams().count == 1)
        #expect(try await composed.streams(prefix: "a-e\u{301}").isEmpty)
        await #expect(throws: Problem.self) { try await composed.append(Append([event("a-e\u{301}1")])) }
        await #expect(throws: Problem.self) {
            try await composed.append(
                Append([event("a-\u{E9}1")], condition: AppendCondition(noneMatch: .stream("a-e\u{301}1"))))
        }
        await tenants.store.close()
    }

    @Test func aWaitAndAnIdentityArePassedOn() async throws {
        let tenants = try await Tenants(.memory)
        _ = try await tenants.b.append(Append([event("b-1")]))
        try await tenants.a.wait(beyond: .start)
        #expect(try await tenants.a.identity() == tenants.store.identity())
        await tenants.store.close()
    }

}
#endif
