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

extension RestrictedEventStoreTests {
    @Test(arguments: Kind.allCases) func appendsMustLieInside(kind: Kind) async throws {
        let tenants = try await Tenants(kind)
        _ = try await tenants.b.append(Append([event("b-1")]))
        let outside: [Append] = [
            Append([event("b-1")]), Append([event("c-1")]), Append([event("a-1"), event("b-1")]),
            Append([event("a-1")], expect: ["b-1": .noStream]), Append([event("a-1")], expect: ["b-1": .exactly(1)]),
            Append([], expect: ["b-1": .any]), Append([event("as-1")]),
        ]
        var messages: Set<String> = []
        for append in outside {
            let problem = await problem { _ = try await tenants.a.append(append) }
            #expect(problem?.status == .forbidden)
            #expect(problem?.code == "stream_not_allowed")
            if append.events.last?.stream != "c-1", append.events.last?.stream != "as-1" {
                messages.insert(problem?.message ?? "")
            }
        }
        // The same whether the stream exists, and whatever is expected of it.
        #expect(messages == ["The token does not allow the stream b-1."])
        let conditions: [EventQuery] = [.all, .types("T"), .tags("x"), .category("b"), .stream("b-1"), .category("as")]
        for query in conditions {
            for after in [Position.start, 1, 100] {
                let problem = await problem {
                    _ = try await tenants.a.append(
                        Append([event("a-1")], condition: AppendCondition(noneMatch: query, after: after)))
                }
                #expect(problem?.status == .forbidden)
                #expect(problem?.code == "condition_not_allowed")
                #expect(problem?.message.contains("b-1") == false)
            }
        }
        #expect(try await EventStoreClient(tenants.store).head() == 1)
        let inside = try await tenants.a.append(
            Append([event("a-1", "U", tags: ["x"])], condition: AppendCondition(noneMatch: .category("a").tagged("x"))))
        #expect(inside.events[0].version == 1)
        await #expect(throws: ConditionFailed.self) {
            try await tenants.a.append(
                Append([event("a-2")], condition: AppendCondition(noneMatch: .stream("a-1"))))
        }
        await tenants.store.close()
    }

    @Test(arguments: Kind.allCases) func keysBelongToTheirToken(kind: Kind) async throws {
        let tenants = try await Tenants(kind)
        let key = IdempotencyKey("k", fingerprint: "f")
        let first = try await tenants.a.append(Append([event("a-1")], key: key))
        let second = try await tenants.b.append(Append([event("b-1")], key: key))
        let third = try await tenants.store.append(Append([event("c-1")], key: key))
        #expect([first, second, third].map(\.repeated) == [false, false, false])
        #expect(try await tenants.a.append(Append([event("a-1")], key: key)).events == first.events)
        let (a, b) = (EventStoreClient(tenants.a), EventStoreClient(tenants.b))
        #expect(try await a.recorded(under: key)?.events == first.events)
        #expect(try await b.recorded(under: key)?.events == second.events)
        #expect(try await EventStoreClient(tenants.store).recorded(under: key)?.events == third.events)
        // The key that another's is kept under is yet another.
        let kept = (tenants.b as? RestrictedEventStore)?.scopedKey(key).key ?? ""
        #expect(try await a.recorded(under: IdempotencyKey(kept, fingerprint: "f")) == nil)
        let longest = IdempotencyKey(String(repeating: "k", count: 255), fingerprint: "f")
        #expect(try await tenants.a.append(Append([event("a-2")], key: longest)).repeated == false)
        #expect(try await a.recorded(under: longest) != nil)
        // é in two forms is two keys.
        #expect(
            try await tenants.a.append(Append([event("a-3")], key: .init("\u{E9}", fingerprint: "f"))).repeated == false
        )
        #expect(try await a.recorded(under: .init("e\u{301}", fingerprint: "f")) == nil)

        for body in [
            { try await tenants.a.append(Append([event("a-1")], key: .init("k", fingerprint: "other"))) },
            { try await a.recorded(under: .init("k", fingerprint: "other")) ?? Appended(events: []) },
        ] as [() async throws -> Appended] {
            let conflict = await #expect(throws: IdempotencyConflict.self) { _ = try await body() }
            #expect(conflict?.key == "k")
        }
        for bad in ["", String(repeating: "k", count: 256), "a\0", "$a"] {
            await #expect(throws: EventStoreError.self) {
                try await tenants.a.append(Append([event("a-1")], key: .init(bad, fingerprint: "f")))
            }
        }
        await tenants.store.close()
    }

    /// The prefixes of a name may be changed, and what was recorded under its keys before may lie outside then.
    @Test(arguments: Kind.allCases) func keysDoNotOutlastPrefixes(kind: Kind) async throws {
        let tenants = try await Tenants(kind)
        let key = IdempotencyKey("k", fingerprint: "f")
        _ = try await tenants.view(["a-", "b-"]).append(Append([event("b-1")], key: key))
        let narrow = tenants.view(["a-"])
        await #expect(throws: IdempotencyConflict.self) { try await narrow.append(Append([event("a-1")], key: key)) }
        #expect(try await EventStoreClient(narrow).recorded(under: key) == nil)
        await tenants.store.close()
    }

    @Test(arguments: Kind.allCases) func repeatedIDsDoNotTellWhatOthersRecorded(kind: Kind) async throws {
        let tenants = try await Tenants(kind)
        let (id, second) = (UUID(), UUID())
        _ = try await tenants.b.append(Append([event("b-1", id: id), event("b-1", id: second)]))
        for append in [
            Append([event("a-1", id: id)]), Append([event("a-1", id: id), event("a-1", id: second)]),
            Append([event("a-1"), event("a-1", id: id)]),
            Append([event("a-1", id: id)], key: .init("k", fingerprint: "f")),
        ] {
            let error = await #expect(throws: DuplicateEvent.self) { try await tenants.a.append(append) }
            #expect(error?.id == id)
        }
        #expect(try await EventStoreClient(tenants.a).recorded(under: .init("k", fingerprint: "f")) == nil)
        // An append over streams of both: no part of it is a repeat for one of them.
        let (one, two) = (UUID(), UUID())
        _ = try await tenants.store.append(Append([event("a-5", id: one), event("b-5", id: two)]))
        await #expect(throws: DuplicateEvent.self) { try await tenants.a.append(Append([event("a-5", id: one)])) }
        // One's own repeat is one.
        let own = Append([event("a-1", id: UUID())])
        _ = try await tenants.a.append(own)
        #expect(try await tenants.a.append(own).repeated)
        await tenants.store.close()
    }

    @Test(arguments: Kind.allCases) func conflictsShowEventsToReadersOnly(kind: Kind) async throws {
        let tenants = try await Tenants(kind)
        for _ in 1...3 { _ = try await tenants.store.append(Append([event("a-1")])) }
        let stale = Append([event("a-1")], expect: ["a-1": .exactly(1)])
        for (store, unseen) in [
            (tenants.a, 2), (tenants.view([], scopes: [.append]), 0), (tenants.view(["a-"], scopes: [.append]), 0),
            (tenants.view([]), 2),
        ] {
            let conflict = await #expect(throws: VersionConflict.self) { try await store.append(stale) }
            #expect(conflict?.streams.first?.actual == 3)
            #expect(conflict?.streams.first?.unseen.count == unseen)
            #expect(conflict?.streams.first?.complete == (unseen > 0))
        }
        await tenants.store.close()
    }

    /// The append that its sender may repeat is the one it sent.
    @Test func anUnknownOutcomeHasTheCallersAppend() async throws {
        struct Lost: EventStore {
            func append(_ append: Append) async throws -> Appended {
                throw OutcomeUnknown(append: append, underlying: CancellationError())
            }
            func page(_ read: Read) async throws -> Page { throw EventStoreError.closed }
            func wait(beyond position: Position) async throws {}
            func identity() async throws -> StoreIdentity { throw EventStoreError.closed }
            var abilities: StoreAbilities { StoreAbilities() }
            func close() async {}
        }
        let view = RestrictedEventStore.view(of: Lost(), for: Caller(name: "a", prefixes: ["a-"]))
        let append = Append([event("a-1")], key: .init("k", fingerprint: "f"))
        let unknown = await #expect(throws: OutcomeUnknown.self) { try await view.append(append) }
        #expect(unknown?.append == append)
    }
}
#endif
