/// The events of one aggregate: an enum whose cases are the event types and whose labelled values are the payloads.
///
/// `.moneyDeposited(amount: 5)` is recorded as type `MoneyDeposited` with payload `{"amount":5}`. Values added later
/// must be optional, since synthesised decoding knows no default values.
///
/// An ``Orchestrator`` traps at startup where events would be lost: on two cases that are recorded as one type, on a
/// struct, and on names in ``typesOfCases`` or ``typeVersions`` that do not exist. Two cases that differ only in the
/// capital of their first letter are seen at startup where the enum lists its cases; otherwise they are refused when
/// one of them is recorded or read. Listing them also lets errors name the known types, and an ``EventSchema`` needs
/// it:
///
/// ```swift
/// enum CodingKeys: String, CodingKey, CaseIterable { case moneyDeposited, moneyWithdrawn }
/// ```
///
/// The compiler checks that these are cases, not that they are all of them: an event whose case is missing there is
/// refused with an `EncodingError` when it is recorded.
public protocol DomainEvent: Codable, Sendable {
    /// By which queries and append conditions find this event.
    var tags: [EventTag] { get }
    /// The types of cases whose events are recorded under another name, for example after a case was renamed.
    static var typesOfCases: [String: String] { get }
    /// The versions under which types are recorded whose payload has changed, by the type's name; 1 for all others. An
    /// ``Upcaster`` leads from each version before.
    static var typeVersions: [String: Int] { get }
}

extension DomainEvent {
    public var tags: [EventTag] { [] }
    public static var typesOfCases: [String: String] { [:] }
    public static var typeVersions: [String: Int] { [:] }

    /// The event as it is recorded.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidAppend`` where it could not be found
    ///   again, or `EncodingError` for a value that could not be read again.
    public func recorded(in stream: StreamID, metadata: Metadata = .none) throws -> NewEvent {
        let types = EventTypes.of(Self.self)
        if let problem = types.problems.first { throw EventStoreError(.invalidAppend, problem) }
        // Where its coding is written by hand only the value itself tells.
        if !types.knowsCases, Mirror(reflecting: self).displayStyle != .enum {
            throw EventStoreError(
                .invalidAppend, "\(Self.self) is no enum. Make it one, with a case for each type of event.")
        }
        guard let object = try JSON(encoding: self).object, object.count == 1 else {
            throw EventStoreError(
                .invalidAppend,
                "\(Self.self) does not encode as an object with one member, its case. Let its coding be synthesised.")
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

    /// The event as it was recorded.
    ///
    /// - Throws: ``UndecodableEvent`` where the type is none of these cases, its version another than that of
    ///   ``typeVersions``, or the payload does not fit.
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

/// No case is recorded under this type.
private struct UnknownType: Error, CustomStringConvertible {
    /// Nil where the cases are not listed.
    let known: [String]?

    var description: String {
        "no case has this type" + (known.map { "; known types: \($0.joined(separator: ", "))" } ?? "")
            + ". Add a case or an Upcaster for it, or select by type what is read"
    }
}

/// An event was recorded in another shape than the one that is known, and nothing leads from it to this one.
private struct OtherVersion: Error, CustomStringConvertible {
    let recorded: Int
    let known: Int

    var description: String {
        recorded < known
            ? "its version is \(recorded), the known version is \(known): add an Upcaster from \(recorded)"
            : "its version is \(recorded), newer than the known version \(known): deploy the newer code to every process first"
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
