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

    /// The consumer has passed the position, and holds nothing.
    mutating func pass() {
        position = awaited
        holds = false
        isDone = true
    }

    /// - Parameter events: the store of the events, which tells to which stream a position belongs.
    mutating func look(
        at store: any CheckpointStore, _ positions: [ClosedRange<Position>], _ events: any EventStore
    ) async {
        do {
            let reached = try await store.checkpoint(of: consumer).position
            position = reached
            problem = nil
            guard reached >= awaited else { return }
            holds = try await Self.isHeld(positions, by: try await store.held(by: consumer), events)
            isDone = !holds
        } catch is CancellationError {
            // The waiting task has ended; what was learned before counts.
        } catch {
            problem = ErrorDescription(error).message
        }
    }

    private static func isHeld(
        _ positions: [ClosedRange<Position>], by held: [HeldStream], _ events: any EventStore
    ) async throws -> Bool {
        for positions in positions {
            let touched = held.filter { positions.overlaps($0.first...max($0.first, $0.through)) }
            if touched.isEmpty { continue }
            if touched.contains(where: { positions.contains($0.first) || positions.contains($0.through) }) {
                return true
            }
            // Events of other streams may lie between those of a held one.
            var next = positions.lowerBound
            while next <= positions.upperBound {
                let before = Position(rawValue: next.rawValue - 1)
                var read = Read(after: before, upTo: positions.upperBound)
                read.showsFailures = true
                let page = try await events.page(read)
                for event in page.events
                where touched.contains(where: { $0.stream == event.stream && event.position >= $0.first }) {
                    return true
                }
                next = Position(rawValue: max(next, page.through).rawValue + 1)
            }
        }
        return false
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
