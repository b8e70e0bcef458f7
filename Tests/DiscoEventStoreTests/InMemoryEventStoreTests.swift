import DiscoEventStore
import DiscoTesting
import Testing

@Suite struct InMemoryEventStoreTests {
    @Test(arguments: EventStoreConformance.cases)
    func conforms(to aCase: EventStoreConformance.Case) async throws {
        let suite = EventStoreConformance(isDurable: false) { options in
            InMemoryEventStore(.init(allowsErasing: options.allowsErasing), context: options.context)
        }
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            // The console does not show cancelled cases.
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }
}
