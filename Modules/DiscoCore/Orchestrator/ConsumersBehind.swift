/// A query was to be answered from what consumers make of an event, and they were not as far in time.
public struct ConsumersBehind: Refusal, Hashable {
    public let position: Position
    public let consumers: [ConsumerLag]

    public var code: String { "consumers_behind" }
    public var kind: ErrorKind { .exhausted }
    public var message: String {
        "Position \(position) has not been passed: \(consumers.map(\.sentence).joined(separator: "; "))"
    }
    public var data: JSON.Object {
        [
            "position": JSON(position.rawValue), "consumers": .array(consumers.map(\.json)),
        ]
    }
}
