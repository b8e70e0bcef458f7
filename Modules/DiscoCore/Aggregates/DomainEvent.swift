/// The events of one aggregate: an enum whose cases are the event types and whose labelled values are the payloads.
///
/// `.moneyDeposited(amount: 5)` is recorded as type `MoneyDeposited` with payload `{"amount":5}`. Values added later
/// must be optional, because synthesised decoding ignores default values.
///
/// An ``Orchestrator`` traps at startup if events would be lost: if two cases are recorded as the same type, if the
/// type is a struct, or if ``typesOfCases`` or ``typeVersions`` names a case or type that does not exist. Two cases
/// that differ only in the capitalization of their first letter are detected at startup if the enum lists its cases;
/// otherwise, recording or reading either of them throws. Listing the cases also lets errors name the known types, and
/// ``EventSchema`` requires it:
///
/// ```swift
/// enum CodingKeys: String, CodingKey, CaseIterable { case moneyDeposited, moneyWithdrawn }
/// ```
///
/// The compiler checks that each key is a case, but not that every case has a key: recording an event whose case is
/// missing throws an `EncodingError`.
public protocol DomainEvent: Codable, Sendable {
    /// The tags by which queries and append conditions find this event.
    var tags: [EventTag] { get }
    /// The types of cases that are not recorded under their own name, by case, for example after a case was renamed.
    static var typesOfCases: [String: String] { get }
    /// The versions of event types whose payload has changed, by type; all others have version 1. Every older version
    /// needs an ``Upcaster``.
    static var typeVersions: [String: Int] { get }
}

extension DomainEvent {
    public var tags: [EventTag] { [] }
    public static var typesOfCases: [String: String] { [:] }
    public static var typeVersions: [String: Int] { [:] }

    /// Encodes the event for recording.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidAppend`` if the event could not be found
    ///   again, or `EncodingError` if a value could not be read back.
    public func recorded(in stream: StreamID, metadata: Metadata = .none) throws -> NewEvent {
        let types = EventTypes.of(Self.self)
        if let problem = types.problems.first { throw EventStoreError(.invalidAppend, problem) }
        // With hand-written coding, only the value itself shows whether it is an enum.
        if !types.knowsCases, Mirror(reflecting: self).displayStyle != .enum {
            throw EventStoreError(
                .invalidAppend, "\(Self.self) is not an enum. Make it an enum with a case for each event type.")
        }
        guard let object = try JSON(encoding: self).object, object.count == 1 else {
            throw EventStoreError(
                .invalidAppend,
                "\(Self.self) does not encode as an object with one member, its case. Use synthesised coding.")
        }
        let type = types.type(ofCase: object[0].name)
        do {
            _ = try types.caseName(ofType: type)
        } catch {
            throw EventStoreError(.invalidAppend, error.description)
        }
        return NewEvent(
            stream: stream, type: type, typeVersion: Self.typeVersions[type] ?? 1, payload: JSONText(object[0].value),
            metadata: metadata, tags: tags)
    }

    /// Decodes a recorded event.
    ///
    /// - Throws: ``UndecodableEvent`` if no case has the event's type, its version differs from that in
    ///   ``typeVersions``, or the payload cannot be decoded.
    public init(_ event: RecordedEvent) throws {
        let types = EventTypes.of(Self.self)
        let version = Self.typeVersions[event.type] ?? 1
        do {
            guard let name = try types.caseName(ofType: event.type) else { throw UnknownType(known: types.known) }
            guard event.typeVersion == version else { throw OtherVersion(recorded: event.typeVersion, known: version) }
            self = try JSON.object(JSON.Object([(name, try event.payload.value())])).decodeShallow(Self.self)
        } catch {
            throw UndecodableEvent(
                position: event.position, stream: event.stream, type: event.type, expected: "\(Self.self)",
                reason: error)
        }
    }
}

/// No case has this type.
private struct UnknownType: Error, CustomStringConvertible {
    /// `nil` if the cases are not listed.
    let known: [String]?

    var description: String {
        "no case has this type" + (known.map { "; known types: \($0.joined(separator: ", "))" } ?? "")
            + ". Add a case or an Upcaster for it, or restrict the query to known types"
    }
}

/// The event's version differs from the known version, and no upcaster converts it.
private struct OtherVersion: Error, CustomStringConvertible {
    let recorded: Int
    let known: Int

    var description: String {
        recorded < known
            ? "its version is \(recorded), the known version is \(known): add an Upcaster from \(recorded)"
            : "its version is \(recorded), newer than the known version \(known): deploy the newer code to every process first"
    }
}

/// A recorded event that the code cannot decode.
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
