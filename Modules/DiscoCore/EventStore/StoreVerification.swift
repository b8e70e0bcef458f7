/// Checks a store for damage.
public protocol StoreVerification: Sendable {
    /// Examines one page of events after a position, in one short transaction. Erased and deleted events count as
    /// sound.
    func verify(after position: Position, limit: Int) async throws -> VerifiedPage
}

/// The result of examining one page.
public struct VerifiedPage: Hashable, Sendable {
    public var findings: [Finding]
    /// The position up to which events were examined.
    public var through: Position
    public var head: Position

    public init(findings: [Finding], through: Position, head: Position) {
        self.findings = findings
        self.through = through
        self.head = head
    }
}

/// Damage to a store.
public enum Finding: Hashable, Sendable {
    /// No event has these positions, though a later one exists.
    case missingPositions(Position, through: Position)
    /// The event's version does not follow that of the previous event in its stream.
    case wrongVersion(Position, stream: StreamID, version: Int, expected: Int)
    /// The stream or type of the event has lost its name, so no reader receives the event.
    case missingName(Position)
    /// The payload is not JSON.
    case damagedPayload(Position, stream: StreamID, reason: String)
    /// The event's time is before that of the previous event.
    case timeRunsBackwards(Position)
    /// The tags by which the event is found differ from the tags it carries.
    case wrongTags(Position, stream: StreamID)
}

extension Finding: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missingPositions(let first, let last): "There are no events from position \(first) to \(last)."
        case .wrongVersion(let position, let stream, let version, let expected):
            "The event at position \(position) in \(stream) has version \(version); expected \(expected)."
        case .missingName(let position): "The event at position \(position) has lost the name of its stream or type."
        case .damagedPayload(let position, let stream, let reason):
            "The payload at position \(position) in \(stream) is \(reason)."
        case .timeRunsBackwards(let position): "The event at position \(position) is older than the previous event."
        case .wrongTags(let position, let stream):
            "The event at position \(position) in \(stream) is not found by the tags that it carries."
        }
    }
}
