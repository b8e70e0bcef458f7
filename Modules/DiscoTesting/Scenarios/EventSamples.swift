public import DiscoCore
import Foundation

/// Recorded payloads of every event version, each of which must still decode as current events.
///
/// ```swift
/// let samples = EventSamples(Wallet.Event.self, upcasters: Wallet.upcasters, [
///     ("MoneyPaidIn", 1, #"{"amount": 5}"#),
///     ("MoneyDeposited", 1, #"{"cents": 500}"#),
///     ("MoneyDeposited", 2, #"{"amount": 5}"#),
/// ])
/// try await samples.check()
/// ```
///
/// Copy the samples from a store and never change them: they are what is on disk.
public struct EventSamples<Event: DomainEvent> {
    public typealias Sample = (type: String, version: Int, payload: JSONText)

    private let upcasters: [Upcaster]
    private let samples: [Sample]

    /// - Parameters:
    ///   - event: the event type that the samples must decode as.
    ///   - upcasters: the client's upcasters.
    ///   - samples: the type, version and payload of each sample.
    public init(_ event: Event.Type, upcasters: [Upcaster] = [], _ samples: [Sample]) {
        self.upcasters = upcasters
        self.samples = samples
    }

    /// Reads each sample from a store through the upcasters and decodes it.
    ///
    /// - Returns: the events that each sample became.
    /// - Throws: ``ConformanceFailure`` if a sample cannot be read or decoded, or if an upcaster has no sample.
    @discardableResult
    public func check(file: String = #fileID, line: Int = #line) async throws -> [[Event]] {
        for upcaster in upcasters {
            try require(
                samples.contains { $0.type == upcaster.type && $0.version == upcaster.typeVersion },
                "no sample of \(upcaster.type), version \(upcaster.typeVersion), which has an upcaster", file: file,
                line: line)
        }
        var become: [[Event]] = []
        for sample in samples {
            let recorded = RecordedEvent(
                position: 1, stream: "sample-1", version: 1, id: .timeOrdered(), type: sample.type,
                typeVersion: sample.version, payload: sample.payload, recordedAt: Date())
            do {
                let store = OneEventStore(event: recorded)
                var events: [Event] = []
                for try await event in EventStoreClient(store, upcasters: upcasters).events() {
                    events.append(try Event(event))
                }
                become.append(events)
            } catch {
                throw ConformanceFailure(
                    message: "cannot read the sample of \(sample.type), version \(sample.version): \(error)",
                    file: file, line: line)
            }
        }
        return become
    }
}

/// Holds one event unchecked: an append might refuse an old type or payload today.
private struct OneEventStore: EventStore {
    let event: RecordedEvent

    func append(_ append: Append) async throws -> Appended { Appended(events: []) }

    func page(_ read: Read) async throws -> Page {
        Page(events: [event], through: event.position, head: event.position, hasMore: false, throughID: event.id)
    }

    func wait(beyond position: Position) async throws {}
    func identity() async throws -> StoreIdentity { StoreIdentity(store: event.id, epoch: 1) }
    var abilities: StoreAbilities { StoreAbilities() }
    func close() async {}
}
