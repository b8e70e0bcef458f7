import DiscoCore
import Foundation

/// What was recorded at one position: one event, or the several that an upcaster made of it. They are processed
/// together, because checkpoints and held events refer to a position.
struct Recorded: Sendable {
    /// All at the position at which the event was recorded.
    private(set) var parts: [RecordedEvent]

    var position: Position { parts[0].position }
    var stream: StreamID { parts[0].stream }
    var id: UUID { parts[0].id }
    var type: String { parts[0].type }

    /// With only the parts that a query selects; `nil` if it selects none.
    func filtered(_ query: EventQuery) -> Recorded? {
        if parts.count == 1 { return query.matches(parts[0]) ? self : nil }
        let selected = parts.filter(query.matches)
        return selected.isEmpty ? nil : Recorded(parts: selected)
    }

    /// - Parameter events: in the order of their positions.
    static func grouped(_ events: [RecordedEvent]) -> [Recorded] {
        var groups: [Recorded] = []
        groups.reserveCapacity(events.count)
        for event in events {
            if let last = groups.last, last.id == event.id {
                // Only the last part came with the position; give it to all of them.
                groups[groups.count - 1].parts = last.parts.map { $0.at(event.position) } + [event]
            } else {
                groups.append(Recorded(parts: [event]))
            }
        }
        return groups
    }
}
