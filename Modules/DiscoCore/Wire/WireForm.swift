/// A value with one JSON form that all programs share: what a server and a remote store exchange, and what apps print,
/// one value per line.
///
/// ```swift
/// let line = event.wire.string               // {"position":1,"stream":"door-front","version":1,…}
/// let same = try RecordedEvent(wire: JSONText(line))
/// ```
///
/// **Payloads and metadata are embedded byte for byte**: 64-bit integers, the digits of decimals and the order of
/// members survive. One that would not survive (it contains a line break or surrounding white space, or is not valid
/// JSON) is written as a string under the same name with the suffix `_text`; one that is not UTF-8 is written in base64
/// with the suffix `_base64`.
///
/// **Unknown members** of requests (``Append``, ``NewEvent``, ``EventQuery``, ``Read``, ``Metadata``) are refused,
/// because a misspelled `expect` must not drop a guard; those of answers (``RecordedEvent``, ``Page``, ``Appended``,
/// ``WireError``) are ignored, so that a newer server may say more. A member that occurs twice is refused in both.
///
/// Times are ISO 8601 in UTC with at least six fractional digits of the second; ids are UUIDs in lower case. A member
/// without a value is written as null, and may be left out when read.
public protocol WireForm: Sendable {
    /// The JSON form: one object on one line.
    var wire: JSONText { get }

    /// - Throws: ``ValidationError``, which names each member by its path, or ``JSONError``.
    init(wire: JSONText) throws
}

/// How a type of the wire form is written and read.
protocol WireRecord: WireForm {
    /// Whether unknown members are refused.
    static var isStrict: Bool { get }
    func write(to writer: inout WireWriter)
    init(_ object: inout WireObject) throws
}

extension WireRecord {
    public var wire: JSONText {
        var writer = WireWriter()
        writer.object { write(to: &$0) }
        return JSONText(unchecked: writer.bytes)
    }

    public init(wire: JSONText) throws { self = try WireValue(wire.bytes).record(Self.self) }
}
