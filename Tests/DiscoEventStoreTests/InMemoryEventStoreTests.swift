import DiscoEventStore
import DiscoTesting
import Testing

@Suite struct InMemoryEventStoreTests {
    @Test(arguments: EventStoreConformance.cases)
    func conforms(to aCase: EventStoreConformance.Case) async throws {
        try await aCase.run(on: EventStoreConformance { InMemoryEventStore() })
    }
}
