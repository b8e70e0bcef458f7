public import DiscoCore
import Foundation

/// Payloads as they were recorded, of every version there ever was: each must still become events of today.
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
/// Copy them from a store, and never change one: they are what is on disk.
public struct EventSamples<Event: DomainEvent> {
    public typealias Sample = (type: String, version: Int, payload: JSONText)

    private let upcasters: [Upcaster]
    private let samples: [Sample]

    /// - Parameters:
    ///   - event: the type that the samples must become.
    ///   - upcasters: those of the client.
    ///   - samples: the type, version and payload of each.
    public init(_ event: Event.Type, upcasters: [Upcaster] = [], _ samples: [Sample]) {
        self.upcasters = upcasters
        self.samples = samples
    }

    /// Reads each of them from a store through the upcasters, and decodes it.
    ///
    /// - Returns: what each has become.
    /// - Throws: ``ConformanceFailure`` where one does not become an event of today, or where an upcaster has no
    ///   sample.
    @discardableResult
    public func check(file: String = #fileID, line: Int = #line) async throws -> [[Event]] {
        for upcaster in upcasters {
            try require(
                samples.contains { $0.type == upcaster.type && $0.version == upcaster.typeVersion },
                "there is no sample of \(upcaster.type), version \(upcaster.typeVersion), which is upcast", file: file,
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
                    message: "the sample of \(sample.type), version \(sample.version), is lost: \(error)", file: file,
                    line: line)
            }
        }
        return become
    }
}

/// Has this event, as it is: types and payloads of long ago need not be ones that an append would take today.
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
