/// A consumer that had not passed what it was waited for.
public struct ConsumerLag: Hashable, Sendable {
    public let consumer: String
    /// What it was waited for.
    public let awaited: Position
    /// How far it has come; nil where that could not be learnt.
    public internal(set) var position: Position?
    /// Whether it has passed it by holding the event, for a retry or for good: its effect is still missing.
    public internal(set) var holds: Bool?

    init(consumer: String, awaited: Position, position: Position?) {
        self.consumer = consumer
        self.awaited = awaited
        self.position = position
    }

    /// By how many events of the store it is behind.
    public var events: Int { position.map { max(0, Int(awaited.rawValue - $0.rawValue)) } ?? Int(awaited.rawValue) }

    var isDone: Bool { holds == false }

    public var json: JSON {
        [
            "consumer": .string(consumer),
            "position": position.map { .number(JSON.Number($0.rawValue)) } ?? .null,
            "events": JSON(integerLiteral: events),
            "holds": .bool(holds == true),
        ]
    }
}

/// A query was to be answered from what consumers make of an event, and they were not as far in time.
public struct ConsumersBehind: Refusal, Hashable {
    public let position: Position
    public let consumers: [ConsumerLag]

    public var code: String { "consumers_behind" }
    public var message: String {
        let names = consumers.map { lag in
            lag.holds == true
                ? "\(lag.consumer) holds it back"
                : "\(lag.consumer) is \(lag.events) \(lag.events == 1 ? "event" : "events") behind"
        }
        return "Position \(position) has not been passed: \(names.joined(separator: ", ")). Are they running?"
    }
    public var data: JSON.Object {
        JSON.Object([
            ("position", .number(JSON.Number(position.rawValue))), ("consumers", .array(consumers.map(\.json))),
        ])
    }
}
