import DiscoCore
import DiscoEventStore
import DiscoTesting
import Foundation
import TestSupport
import Testing

/// The code of the guide "Evolving events".
@Suite struct EvolvingEventsExamples {
    struct Purse: Aggregate {
        let id: String
        var coins = 0
        var holder = ""
        var town = ""
        var isClosed = false

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Purse>.Type] = [DepositCoins.self, ClosePurse.self]

        enum Event: DomainEvent, Equatable {
            case coinsDeposited(amount: Int)
            case holderRenamed(name: String)
            case holderMoved(town: String)
            case purseClosed

            enum CodingKeys: String, CodingKey, CaseIterable {
                case coinsDeposited, holderRenamed, holderMoved, purseClosed
            }

            static let typeVersions = ["CoinsDeposited": 2]
            static let typesOfCases = ["purseClosed": "AccountClosed"]
        }

        mutating func apply(_ event: Event) {
            switch event {
            case .coinsDeposited(let amount): coins += amount
            case .holderRenamed(let name): holder = name
            case .holderMoved(let town): self.town = town
            case .purseClosed: isClosed = true
            }
        }

        static let upcasters: [Upcaster] = [
            // The type had another name.
            Upcaster("CoinsPaidIn", to: "CoinsDeposited"),
            // The payload was {"coins":5}.
            Upcaster("CoinsDeposited", from: 1, to: 2) { old in ["amount": old["coins"] ?? .null] },
            // One event became two.
            Upcaster("HolderChanged", into: ["HolderRenamed", "HolderMoved"]) { old in
                [
                    .init("HolderRenamed", ["name": old["name"] ?? .null]),
                    .init("HolderMoved", ["town": old["town"] ?? .null]),
                ]
            },
            // Nobody needs this event any more.
            .dropping("StatementPrinted"),
        ]
    }

    struct DepositCoins: UpdateCommand {
        let id: String
        var amount: Int

        func run(on purse: Purse) -> [Purse.Event] { [.coinsDeposited(amount: amount)] }
    }

    struct ClosePurse: UpdateCommand {
        let id: String

        func run(on purse: Purse) -> [Purse.Event] { purse.isClosed ? [] : [.purseClosed] }
    }

    private let store = InMemoryEventStore()

    private func record(_ type: String, _ payload: JSONText) async throws {
        _ = try await store.append(Append([NewEvent(stream: "purse-ada", type: type, payload: payload)]))
    }

    /// Records events in their old forms.
    private func recordOldEvents() async throws {
        try await record("CoinsPaidIn", #"{"coins":5}"#)
        try await record("HolderChanged", #"{"name":"Ada","town":"London"}"#)
        try await record("StatementPrinted", #"{"pages":3}"#)
        try await record("CoinsDeposited", #"{"coins":2}"#)
    }

    @Test func oldEventsAreReadInTheirCurrentShape() async throws {
        try await recordOldEvents()
        let client = EventStoreClient(store, upcasters: Purse.upcasters)
        let orchestrator = Orchestrator(client: client, aggregates: [Purse.self])
        let purse = try await orchestrator.dispatch(DepositCoins(id: "ada", amount: 3)).state
        // purse.coins is 10, purse.holder is "Ada", purse.town is "London"
        #expect(purse.coins == 10)
        #expect(purse.holder == "Ada")
        #expect(purse.town == "London")

        // A query for a type finds what became it.
        let deposits = try await client.events(.types("CoinsDeposited")).collect()
        #expect(deposits.map(\.typeVersion) == [2, 2, 2])
        #expect(deposits.map(\.payload) == [#"{"amount":5}"#, #"{"amount":2}"#, #"{"amount":3}"#])
        let moves = try await client.events(.types("HolderMoved")).collect()
        #expect(moves.map(\.payload) == [#"{"town":"London"}"#])
        let both = try await client.events(.types("HolderRenamed", "HolderMoved")).collect()
        // Reading goes on after position 1 where it stopped between them.
        #expect(both.map(\.position) == [1, 2])
        #expect(both.map(\.version) == [2, 2])
        #expect(try await client.events(.types("CoinsPaidIn", "StatementPrinted")).collect().isEmpty)

        // Nothing that is recorded has changed.
        let recorded = try await EventStoreClient(store).events().collect()
        #expect(
            recorded.map(\.type) == [
                "CoinsPaidIn", "HolderChanged", "StatementPrinted", "CoinsDeposited", "CoinsDeposited",
            ])
        #expect(recorded.map(\.typeVersion) == [1, 1, 1, 1, 2])
    }

    @Test func aRenamedCaseIsRecordedUnderItsOldType() async throws {
        try await recordOldEvents()
        let client = EventStoreClient(store, upcasters: Purse.upcasters)
        let orchestrator = Orchestrator(client: client, aggregates: [Purse.self])
        #expect(try await orchestrator.dispatch(ClosePurse(id: "ada")).state.isClosed)
        let closed = try await client.events(.types("AccountClosed")).collect()
        let events = try closed.map { try Purse.Event($0) }
        #expect(events == [.purseClosed])
    }

    @Test func anEventThatAnUpcasterRefusesIsNamed() async throws {
        try await record("CoinsPaidIn", #"{"pounds":5}"#)
        let client = EventStoreClient(store, upcasters: Purse.upcasters)
        let events = try await client.events().collect()
        let event = try #require(events.first)
        let error = #expect(throws: UndecodableEvent.self) { try Purse.Event(event) }
        #expect(error?.position == 1)

        let strays = [Upcaster("CoinsPaidIn", into: []) { _ in [.init("CoinsDeposited", [:])] }]
        let astray = EventStoreClient(store, upcasters: strays)
        let unnamed = await #expect(throws: UndecodableEvent.self) { try await astray.events().collect() }
        #expect(unnamed?.type == "CoinsPaidIn")
    }

    @Test func aSchemaFileGuardsTheEvents() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("events.json")
        let schema = EventSchema([Purse.Event.self], upcasters: Purse.upcasters)
        try schema.write(to: file)
        try schema.check(file)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(
            text == """
                {
                  "EvolvingEventsExamples.Purse.Event": {
                    "AccountClosed": {
                      "1": {}
                    },
                    "CoinsDeposited": {
                      "2": {"amount":"integer"}
                    },
                    "HolderMoved": {
                      "1": {"town":"string"}
                    },
                    "HolderRenamed": {
                      "1": {"name":"string"}
                    }
                  }
                }

                """)
        // The previous version has an upcaster; a version without one is lost.
        let before = text.replacing(#""2": {"amount""#, with: #""1": {"coins":"integer"},\#n      "2": {"amount""#)
        #expect(try schema.problems(before) == [])
        #expect(try schema.text(following: before) == before)
        #expect(try EventSchema([Purse.Event.self]).problems(before).count == 1)
        // New events recorded under a version that an upcaster converts would be converted too.
        let turning = Purse.upcasters + [Upcaster("CoinsDeposited", from: 2, to: 3) { $0 }]
        let problems = try EventSchema([Purse.Event.self], upcasters: turning).problems(text)
        #expect(problems.count == 1)
        #expect(problems.first?.contains("recorded as version 2, which an upcaster converts") == true)
    }

    @Test func payloadsOfEveryVersionCanStillBeRead() async throws {
        let samples = EventSamples(
            Purse.Event.self, upcasters: Purse.upcasters,
            [
                ("CoinsPaidIn", 1, #"{"coins": 7}"#),
                ("CoinsDeposited", 1, #"{"coins": 7}"#),
                ("CoinsDeposited", 2, #"{"amount": 7}"#),
                ("HolderChanged", 1, #"{"name": "Ada", "town": "London"}"#),
                ("StatementPrinted", 1, "{}"),
            ])
        let events = try await samples.check()
        // [[.coinsDeposited(amount: 7)], …, [.holderRenamed(name: "Ada"), .holderMoved(town: "London")], []]
        #expect(
            events == [
                [.coinsDeposited(amount: 7)], [.coinsDeposited(amount: 7)], [.coinsDeposited(amount: 7)],
                [.holderRenamed(name: "Ada"), .holderMoved(town: "London")], [],
            ])
        let some = EventSamples(
            Purse.Event.self, upcasters: Purse.upcasters,
            [
                ("CoinsPaidIn", 1, #"{"coins": 7}"#), ("CoinsDeposited", 1, #"{"pounds": 7}"#),
                ("HolderChanged", 1, "{}"), ("StatementPrinted", 1, "{}"),
            ])
        let lost = await #expect(throws: ConformanceFailure.self) { try await some.check() }
        #expect(lost?.message.contains("cannot read the sample of CoinsDeposited, version 1:") == true)
        let fewer = EventSamples(Purse.Event.self, upcasters: Purse.upcasters, [("CoinsPaidIn", 1, "{}")])
        let missing = await #expect(throws: ConformanceFailure.self) { try await fewer.check() }
        #expect(missing?.message.contains("no sample of CoinsDeposited, version 1") == true)
    }
}
