/// The cases of an enum with synthesised coding, found by decoding it from a probe that contains none of them.
struct EventCases {
    /// All case names; `nil` if neither the enum nor its coding keys are `CaseIterable`.
    var names: [String]?
    /// Whether a name is one of the cases; `nil` if decoding is hand-written and this is unknown.
    var isCase: (@Sendable (String) -> Bool)?
    /// What is wrong with the type; completes a sentence that begins with its name.
    var problem: String?

    static func of<Event: DomainEvent>(_ event: Event.Type) -> EventCases {
        let record = Record()
        _ = try? Event(from: Probe(record: record))
        if record.isSingleValue {
            return EventCases(problem: "is encoded as a single value. Make it an enum without a raw type.")
        }
        if record.isEnum {
            guard let names = record.names ?? ListedCases.names(event) else { return EventCases(isCase: record.isCase) }
            let all = Set(names.map(ExactText.init))
            return EventCases(names: names) { all.contains(ExactText($0)) }
        }
        // Decoding is hand-written, or the type is not an enum: an example shows which.
        if let example = ShapeReader().read(event).example, let style = Mirror(reflecting: example).displayStyle,
            style != .enum
        {
            return EventCases(problem: "is a \(style). Make it an enum with a case for each event type.")
        }
        return EventCases()
    }

    private final class Record {
        var names: [String]?
        var isCase: (@Sendable (String) -> Bool)?
        var isEnum = false
        var isSingleValue = false
    }

    private struct Nothing: Error {}

    private struct Probe: Decoder {
        let record: Record
        var codingPath: [any CodingKey] { [] }
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
            KeyedDecodingContainer(Keyed(record: record))
        }

        func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
            record.isSingleValue = true
            throw Nothing()
        }

        func singleValueContainer() throws -> any SingleValueDecodingContainer {
            record.isSingleValue = true
            throw Nothing()
        }
    }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let record: Record
        var codingPath: [any CodingKey] { [] }

        /// Only synthesised decoding of an enum reads this first.
        var allKeys: [Key] {
            record.isEnum = true
            record.names = ListedCases.of(Key.self)?.map(\.stringValue)
            if !Self.isKey("\0") { record.isCase = { Self.isKey($0) } }
            return []
        }

        /// Compares bytes, unlike Swift's comparison of raw values. Hand-written keys may accept any name, "\0" too,
        /// and then show nothing.
        private static func isKey(_ name: String) -> Bool {
            Key(stringValue: name).map { ExactText.areEqual($0.stringValue, name) } ?? false
        }

        func contains(_ key: Key) -> Bool { false }
        func decodeNil(forKey key: Key) throws -> Bool { throw Nothing() }
        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { throw Nothing() }
        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { throw Nothing() }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw Nothing() }
        func superDecoder() throws -> any Decoder { throw Nothing() }
        func superDecoder(forKey key: Key) throws -> any Decoder { throw Nothing() }
    }
}
