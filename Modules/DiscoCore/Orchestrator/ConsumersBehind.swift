/// A query had to wait for consumers to pass an event, and they did not pass it in time.
public struct ConsumersBehind: Refusal, Hashable {
    public let position: Position
    public let consumers: [ConsumerLag]

    public var code: String { "consumers_behind" }
    public var kind: ErrorKind { .exhausted }
    public var message: String {
        "Consumers have not passed position \(position): \(consumers.map(\.sentence).joined(separator: "; "))"
    }
    public var data: JSON.Object {
        [
            "position": JSON(position.rawValue), "consumers": .array(consumers.map(\.json)),
        ]
    }
}
