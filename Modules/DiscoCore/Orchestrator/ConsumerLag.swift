/// A consumer that had not passed what it was waited for.
public struct ConsumerLag: Hashable, Sendable {
    public let consumer: String
    /// What it was waited for.
    public let awaited: Position
    /// How far it has come; nil where that could not be learnt.
    public private(set) var position: Position?
    /// Whether it has passed it by holding the event, for a retry or for good: its effect is still missing.
    public private(set) var holds = false
    /// Why it could not be learnt how far it has come.
    public private(set) var problem: String?
    private(set) var isDone = false

    init(consumer: String, awaited: Position) {
        self.consumer = consumer
        self.awaited = awaited
    }

    /// How many events of the store lie between; nil where the store does not count them, or that could not be learnt.
    public private(set) var events: Int?

    /// Asks how many events lie between: positions do not tell.
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
            // Whoever waits has ended; what was learnt before counts.
        } catch {
            problem = ErrorDescription(error).message
        }
    }

    var sentence: String {
        if let problem { return "how far \(consumer) is could not be learnt (\(problem))" }
        if holds { return "\(consumer) holds it back" }
        guard let position else { return "how far \(consumer) is was not learnt in time" }
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
