/// A value with one JSON form that every program reads alike: what a server and a remote store say to each other, and
/// what apps print, one line a value.
///
/// ```swift
/// let line = event.wire.string               // {"position":1,"stream":"door-front","version":1,…}
/// let same = try RecordedEvent(wire: JSONText(line))
/// ```
///
/// **Payloads and metadata go byte for byte**, as a part of the text: integers of 64 bits, the digits of decimals and the
/// order of members stay. One that would not stay so (it has a line break or white space around it, or is damaged) goes
/// as a text under the same name with `_text` at its end; one that is no UTF-8 goes in base 64 under a name with
/// `_base64`.
///
/// **Unknown members**: what is asked (``Append``, ``NewEvent``, ``EventQuery``, ``Read``, ``Metadata``) is refused with
/// any of them, since a misspelt `expect` must not drop a guard; of what is answered (``RecordedEvent``, ``Page``,
/// ``Appended``, ``WireError``) they are ignored, so that a newer server may say more. A member that stands there twice
/// is refused in both.
///
/// Times are ISO 8601 in UTC with at least six digits of the second; ids are UUIDs in lower case. A member that has no
/// value is null when written, and may be left out when read.
public protocol WireForm: Sendable {
    /// The JSON form: one object on one line.
    var wire: JSONText { get }

    /// - Throws: ``ValidationError``, which names each member by its path, or ``JSONError``.
    init(wire: JSONText) throws
}

/// How a type of the wire form is written and read.
protocol WireRecord: WireForm {
    /// Whether members that are not known are refused.
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

    public init(wire: JSONText) throws { self = try WireValue(wire.bytes, path: "").record(Self.self) }
}
