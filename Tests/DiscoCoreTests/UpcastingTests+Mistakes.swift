import DiscoCore
import DiscoEventStore
import Foundation
import Testing

extension UpcastingTests {
    private struct Nonsense: Error {}

    @Test(arguments: [("MoneyDeposited", 3), ("MoneyWithdrawn", 2)])
    func anEventOfAVersionWithoutAnUpcasterIsNotTakenForAnother(type: String, version: Int) async throws {
        let one = orchestrator()
        try await one.dispatch(PayIn(id: "a", cents: 5))
        let position = try #require(try await record(type, version: version, #"{"cents":1}"#).last)
        for orchestrator in [one, orchestrator()] {
            let error = await #expect(throws: UndecodableEvent.self) {
                try await orchestrator.dispatch(PayOut(id: "a", cents: 5))
            }
            #expect(error?.position == position)
            #expect(error?.type == type)
        }
        #expect(try await recorded.head() == position)
    }

    @Test func anUpcasterThatThrowsMakesItsEventUndecodable() async throws {
        let upcaster = Upcaster("MoneyPaidIn", into: ["MoneyDeposited"]) { _ in throw Nonsense() }
        let error = try await undecodable([upcaster])
        #expect(error.reason is Nonsense)
    }

    @Test func anUpcasterThatYieldsAnUndeclaredTypeIsAnError() async throws {
        let upcaster = Upcaster("MoneyPaidIn", into: ["MoneyDeposited"]) { [.init("MoneyFound", $0)] }
        let error = try await undecodable([upcaster])
        #expect(error.description.contains("MoneyFound"))
    }

    @Test func upcastersThatFormACycleAreAnError() async throws {
        let error = try await undecodable([
            Upcaster("MoneyPaidIn", to: "MoneyDeposited"), Upcaster("MoneyDeposited", to: "MoneyPaidIn"),
        ])
        #expect(error.description.contains("form a cycle"))
        let branching = Upcaster("MoneyPaidIn", into: ["MoneyPaidIn"]) {
            [.init("MoneyPaidIn", $0), .init("MoneyPaidIn", $0)]
        }
        _ = try await undecodable([branching])
    }

    @Test func aPayloadThatIsNotJSONMakesItsEventUndecodable() async throws {
        let damaged = RecordedEvent(
            position: 1, stream: "account-a", version: 1, id: UUID(), type: "MoneyPaidIn",
            payload: JSONText(unchecked: Array("{".utf8)), recordedAt: Date())
        let store = HookedEventStore(
            store, page: { _ in Page(events: [damaged], through: 1, head: 1, hasMore: false, throughID: damaged.id) })
        let error = await #expect(throws: UndecodableEvent.self) {
            _ = try await EventStoreClient(store, upcasters: Self.upcasters).events().collect()
        }
        #expect(error?.reason is JSONError)
    }

    /// The error of reading the event `MoneyPaidIn` through these upcasters.
    private func undecodable(_ upcasters: [Upcaster]) async throws -> UndecodableEvent {
        let position = try #require(try await record("MoneyPaidIn", #"{"coins":3}"#).last)
        let client = EventStoreClient(store, upcasters: upcasters)
        let after = Position(rawValue: position.rawValue - 1)
        let thrown = await #expect(throws: UndecodableEvent.self) {
            _ = try await client.events(after: after).collect()
        }
        let error = try #require(thrown)
        #expect(error.position == position)
        #expect(error.stream == "account-a")
        #expect(error.type == "MoneyPaidIn")
        return error
    }
}
