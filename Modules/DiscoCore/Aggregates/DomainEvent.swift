/// The events of one aggregate: an enum whose cases are the event types and whose labelled values are the payloads.
///
/// `.moneyDeposited(amount: 5)` is recorded as type `MoneyDeposited` with payload `{"amount":5}`. Values added later
/// must be optional, since synthesised decoding knows no default values.
public protocol DomainEvent: Codable, Sendable {
    /// By which queries and append conditions find this event.
    var tags: [Tag] { get }
    /// The types of cases whose events are recorded under another name, for example after a case was renamed.
    static var typesOfCases: [String: String] { get }
    /// The versions under which types are recorded whose payload has changed, by the type's name; 1 for all others. An
    /// ``Upcaster`` leads from each version before.
    static var typeVersions: [String: Int] { get }
}

extension DomainEvent {
    public var tags: [Tag] { [] }
    public static var typesOfCases: [String: String] { [:] }
    public static var typeVersions: [String: Int] { [:] }

    /// The event as it is recorded.
    public func recorded(in stream: StreamID, metadata: Metadata = .none) throws -> NewEvent {
        guard let member = try JSON(encoding: self).object?.first else {
            throw EventStoreError(.invalidAppend, "\(Self.self) does not encode as an enum: its case is missing.")
        }
        let type = Self.recordedType(ofCase: member.name)
        return NewEvent(
            stream: stream, type: type, typeVersion: Self.typeVersions[type] ?? 1, payload: JSONText(member.value),
            metadata: metadata, tags: tags)
    }

    static func recordedType(ofCase name: String) -> String { typesOfCases[name] ?? DerivedName.capitalized(name) }

    /// The event as it was recorded.
    ///
    /// - Throws: ``UndecodableEvent`` where the type is none of these cases, its version another than that of
    ///   ``typeVersions``, or the payload does not fit.
    public init(_ event: RecordedEvent) throws {
        let name =
            Self.typesOfCases.first { $0.value == event.type }?.key ?? DerivedName.uncapitalized(event.type)
        let version = Self.typeVersions[event.type] ?? 1
        do {
            guard event.typeVersion == version else { throw OtherVersion(recorded: event.typeVersion, known: version) }
            self = try JSON.object(JSON.Object([(name, try event.payload.value())])).decode(Self.self)
        } catch {
            throw UndecodableEvent(
                position: event.position, stream: event.stream, type: event.type, expected: "\(Self.self)",
                reason: error)
        }
    }
}

/// An event was recorded in another shape than the one that is known, and nothing leads from it to this one.
private struct OtherVersion: Error, CustomStringConvertible {
    let recorded: Int
    let known: Int

    var description: String {
        recorded < known
            ? "it is of version \(recorded), and known is \(known): add an Upcaster from \(recorded)"
            : "it is of version \(recorded), which is newer than \(known), the one that is known: let every process have the newer code first"
    }
}

/// A recorded event that the code does not understand.
public struct UndecodableEvent: Error, CustomStringConvertible {
    public let position: Position
    public let stream: StreamID
    public let type: String
    public let expected: String
    public let reason: any Error

    public var description: String {
        "The event of type \(type) at position \(position) in \(stream) cannot be decoded as \(expected): \(reason)"
    }
}
