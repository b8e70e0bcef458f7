/// A consumer that has not passed the awaited position.
public struct ConsumerLag: Hashable, Sendable {
    public let consumer: String
    /// The position that was awaited.
    public let awaited: Position
    /// The position it has reached; `nil` if that could not be determined.
    public private(set) var position: Position?
    /// Whether it passed the position but holds the event, for a retry or permanently: its effect is still missing.
    public private(set) var holds = false
    /// Why its position could not be determined.
    public private(set) var problem: String?
    private(set) var isDone = false

    init(consumer: String, awaited: Position) {
        self.consumer = consumer
        self.awaited = awaited
    }

    /// How many of the store's events lie between; `nil` if the store does not count them or the count failed.
    public private(set) var events: Int?

    /// Asks the store how many events lie between, because positions do not tell.
    mutating func count(by counting: (any EventCounting)?) async {
        guard let position else { return }
        events = position >= awaited ? 0 : try? await counting?.events(after: position, upTo: awaited)
    }

    mutating func look(at store: any CheckpointStore, _ positions: [ClosedRange<Position>]) async {
        do {
            let reached = try await store.checkpoint(of: consumer).position
            position = reached
            problem = nil
            guard reached >= awaited else { return }
            holds = try await store.held(by: consumer).contains { held in
                positions.contains { $0.contains(held.position) }
            }
            isDone = !holds
        } catch is CancellationError {
            // The waiting task has ended; what was learned before counts.
        } catch {
            problem = ErrorDescription(error).message
        }
    }

    var sentence: String {
        if let problem { return "the checkpoint of \(consumer) could not be read (\(problem))" }
        if holds { return "\(consumer) holds the event" }
        guard let position else { return "the checkpoint of \(consumer) was not read in time" }
        guard let events, events > 0 else { return "\(consumer) is at position \(position); is it running?" }
        return "\(consumer) is \(events) \(events == 1 ? "event" : "events") behind; is it running?"
    }

    public var json: JSON {
        var object: JSON.Object = [
            "consumer": .string(consumer), "position": position.map { JSON($0.rawValue) } ?? .null,
            "events": events.map { JSON($0) } ?? .null, "holds": .bool(holds),
        ]
        object["problem"] = problem.map(JSON.string)
        return .object(object)
    }
}
