import DiscoEventStore
import Foundation
import Logging
import TestSupport
import Testing

@testable import DiscoCore

private enum Mark: String, Codable, Sendable { case good, bad }
private enum Rank: Int, Codable, Sendable {
    case first = 1
    case last = 9
}
private indirect enum Delivery: Codable, Sendable {
    case post(to: String, mark: Mark)
    case pickup
    case both(Delivery)
}

private struct Inner: Codable, Sendable {
    var rank = Rank.last
    var memo: String?
}

private struct Parcel: Codable, Sendable {
    var mark = Mark.good
    var delivery = Delivery.post(to: "Ada", mark: .bad)
    var inner = Inner()
    var last: Int?
}

/// A type without an example takes its shape from an existing value, the seed.
@Suite(.timeLimit(.minutes(1))) struct ShapeSeedTests {
    private func reading<Value: Codable>(_ value: Value) throws -> Shape.Reading {
        Shape.read(Value.self, seed: try JSON(encoding: value))
    }

    @Test func aSeedLetsReadingContinueAfterEnumsThatDoNotListTheirCases() throws {
        let reading = try reading(Parcel())
        #expect(
            reading.shape.json == [
                "mark": "Mark", "delivery": "Delivery", "inner": ["rank": "Rank", "memo": "string?"],
                "last": "integer?",
            ])
        #expect(reading.unreadable == [])
        #expect(Shape.read(Parcel.self).unreadable == ["Mark"])
    }

    @Test(arguments: [Delivery.pickup, .post(to: "", mark: .good), .both(.pickup)])
    private func theShapeIsTheSameWhateverTheSeedHolds(delivery: Delivery) throws {
        let reading = try reading(
            Parcel(mark: .bad, delivery: delivery, inner: Inner(rank: .first, memo: "m"), last: 7))
        #expect(reading.shape == (try self.reading(Parcel()).shape))
        #expect(reading.unreadable == [])
    }

    @Test func aSeedLetsReadingContinueAfterTextOfACertainForm() throws {
        struct Email: Codable {
            var text = "ada@example.com"
            init() {}
            init(from decoder: any Decoder) throws {
                text = try String(from: decoder)
                if !text.contains("@") {
                    throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "must be an address"))
                }
            }
            func encode(to encoder: any Encoder) throws { try text.encode(to: encoder) }
        }
        struct Customer: Codable {
            var email = Email()
            var memo: String?
        }
        let reading = try reading(Customer())
        #expect(reading.shape.json == ["email": "string", "memo": "string?"])
        #expect(reading.unreadable == [])
    }

    @Test func anOptionalPassesItsSeedOnAndElementsOfCollectionsHaveNone() throws {
        struct Box: Codable {
            var perhaps: Inner? = Inner()
            var last: Int?
        }
        #expect(try reading(Box()).unreadable == [])
        #expect(try reading(Box(perhaps: nil)).unreadable == ["Rank"])
        struct Boxes: Codable {
            var inner = [Inner()]
            var byName = ["a": Inner()]
            var last: Int?
        }
        let boxes = try reading(Boxes())
        #expect(boxes.unreadable == ["Rank"])
        // Reading continues after the list itself.
        #expect(boxes.shape.json["last"] == "integer?")
    }

    @Test func aSeedThatDoesNotFitIsHarmless() throws {
        struct Note: Codable {
            var text: String
            var count: Int
            var at: Date
            var last: Int?
        }
        for seed in [["text": 5, "count": "many", "at": "never"], [], .null, ["text": .null]] as [JSON] {
            let reading = Shape.read(Note.self, seed: seed)
            #expect(reading.shape == Shape.read(Note.self).shape)
            #expect(reading.unreadable == [])
        }
        #expect(Shape.read(Parcel.self, seed: ["mark": "neither"]).unreadable == ["Mark"])
    }

    // MARK: Aggregates

    private struct Sent: LedgerState {
        let id: String
        var sum = 0
        var mark = Mark.good
        var delivery = Delivery.pickup
        var memo: String?

        init(id: String) { self.id = id }

        static let category = "ledger"
        static let snapshotPolicy = SnapshotPolicy.every(events: 1)

        mutating func apply(_ event: LedgerEvent) {
            guard case .entryAdded(let amount, let memo) = event else { return }
            (sum, mark, delivery) = (sum + amount, .bad, .post(to: memo, mark: .bad))
            self.memo = memo
        }
    }

    private enum OneMore {
        /// An optional property is added after the enums.
        struct Sent: LedgerState {
            let id: String
            var sum = 0
            var mark = Mark.good
            var delivery = Delivery.pickup
            var memo: String?
            var remark: String?

            init(id: String) { self.id = id }

            static let category = "ledger"
            static let snapshotPolicy = SnapshotPolicy.every(events: 1)

            mutating func apply(_ event: LedgerEvent) {
                guard case .entryAdded(let amount, let memo) = event else { return }
                sum += amount
                remark = (remark ?? "") + memo
            }
        }
    }

    private struct Several: LedgerState {
        let id: String
        var sum = 0
        var parcels: [Parcel] = []

        init(id: String) { self.id = id }

        static let snapshotPolicy = SnapshotPolicy.every(events: 1)

        mutating func apply(_ event: LedgerEvent) {}
    }

    private let store: InMemoryEventStore
    private let log: LogCollector

    init() {
        let log = LogCollector()
        self.log = log
        store = InMemoryEventStore(context: StoreContext(logger: log.logger()))
    }

    private func add<State: LedgerState>(_ state: State.Type, _ memo: String) async throws -> State {
        let orchestrator = Orchestrator(client: EventStoreClient(store), aggregates: [state])
        return try await orchestrator.dispatch(AddEntry<State>(id: "a", amount: 1, memo: memo)).state
    }

    private func snapshot<State: LedgerState>(_ state: State.Type) async throws -> Snapshot? {
        let fingerprint = "1:\(state.shape.shape.fingerprint)"
        return try await store.snapshot(SnapshotKey(stream: "ledger-a", name: "Sent", fingerprint: fingerprint))
    }

    @Test func anAggregateWithEnumsThatDoNotListTheirCasesHasSnapshots() async throws {
        for memo in ["one", "two", "three"] { _ = try await add(Sent.self, memo) }
        let kept = try #require(try await snapshot(Sent.self))
        #expect(kept.version == 3)
        #expect(try kept.state.decode(Sent.self).mark == .bad)
        #expect(log.messages == [])
    }

    @Test func aPropertyAddedAfterSuchAnEnumIsSeen() async throws {
        _ = try await add(Sent.self, "one")
        #expect(Sent.shape.shape.fingerprint != OneMore.Sent.shape.shape.fingerprint)
        // The old snapshot would decode, but without the new property's value from the events.
        #expect(try await add(OneMore.Sent.self, "two").remark == "onetwo")
        #expect(try await snapshot(OneMore.Sent.self)?.version == 2)
        #expect(try await snapshot(Sent.self)?.version == 1)
    }

    @Test func anAggregateWithSuchAnEnumInAListHasNoSnapshotsAndLogsAFix() async throws {
        _ = try await add(Several.self, "one")
        #expect(log.levels == [.warning])
        #expect(
            log.messages.first
                == "Several has no snapshots: its shape cannot be determined because of Mark. "
                + "Conform it (or its CodingKeys) to CaseIterable, or to ExampleProviding.")
    }
}
