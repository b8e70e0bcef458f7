/// Returns an example of each requested value, and records what was requested. A value in the seed serves as the
/// example.
struct ShapeDecoding: Decoder {
    let reader: ShapeReader
    let record: ShapeRecord
    let seed: JSON?

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        record.shape = record.shape ?? .object([])
        return KeyedDecodingContainer(Keyed(reader: reader, record: record, seed: seed))
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer { Unkeyed(reader: reader, record: record) }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        Single(reader: reader, record: record, seed: seed)
    }

    /// No example can be made, which ends this decoding.
    private struct NoExample: Error {}

    private static func example<Value: Decodable>(
        _ type: Value.Type, _ reader: ShapeReader, _ seed: JSON?, _ note: (Shape) -> Void
    ) throws -> Value {
        guard let example = reader.example(of: type, seed: seed, note) else { throw NoExample() }
        return example
    }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let reader: ShapeReader
        let record: ShapeRecord
        let seed: JSON?

        var codingPath: [any CodingKey] { [] }

        /// Only enums without raw values read these: they need exactly one.
        var allKeys: [Key] {
            guard let cases = ListedCases.of(Key.self) else {
                record.asksForUnlistedCase = true
                guard let object = seed?.object, object.count == 1, let key = Key(stringValue: object[0].name) else {
                    return []
                }
                record.chosen = key.stringValue
                return [key]
            }
            guard cases.indices.contains(record.choice) else { return [] }
            record.choices = cases.count
            record.chosen = cases[record.choice].stringValue
            return [cases[record.choice]]
        }

        private func seed(_ key: Key) -> JSON? { seed?[key.stringValue] }

        func contains(_ key: Key) -> Bool { true }
        func decodeNil(forKey key: Key) -> Bool { false }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            try ShapeDecoding.example(type, reader, seed(key)) { record.add(key.stringValue, $0) }
        }

        func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) -> Value? {
            note(type, key)
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) -> KeyedDecodingContainer<Nested> {
            // The associated values of a case are recorded as those of the case.
            let nested = record.chosen == key.stringValue ? record : ShapeRecord(choice: 0)
            if nested !== record { record.add(key.stringValue, .named("object")) }
            return KeyedDecodingContainer(Keyed<Nested>(reader: reader, record: nested, seed: seed(key)))
        }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedDecodingContainer {
            record.add(key.stringValue, .named("list"))
            return Unkeyed(reader: reader, record: ShapeRecord(choice: 0))
        }

        func superDecoder() -> any Decoder { ShapeDecoding(reader: reader, record: record, seed: seed) }
        func superDecoder(forKey key: Key) -> any Decoder {
            ShapeDecoding(reader: reader, record: record, seed: seed(key))
        }

        // The overloads for single types do the same.
        func decodeIfPresent(_ type: Bool.Type, forKey key: Key) -> Bool? { note(type, key) }
        func decodeIfPresent(_ type: String.Type, forKey key: Key) -> String? { note(type, key) }
        func decodeIfPresent(_ type: Double.Type, forKey key: Key) -> Double? { note(type, key) }
        func decodeIfPresent(_ type: Float.Type, forKey key: Key) -> Float? { note(type, key) }
        func decodeIfPresent(_ type: Int.Type, forKey key: Key) -> Int? { note(type, key) }
        func decodeIfPresent(_ type: Int8.Type, forKey key: Key) -> Int8? { note(type, key) }
        func decodeIfPresent(_ type: Int16.Type, forKey key: Key) -> Int16? { note(type, key) }
        func decodeIfPresent(_ type: Int32.Type, forKey key: Key) -> Int32? { note(type, key) }
        func decodeIfPresent(_ type: Int64.Type, forKey key: Key) -> Int64? { note(type, key) }
        func decodeIfPresent(_ type: UInt.Type, forKey key: Key) -> UInt? { note(type, key) }
        func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) -> UInt8? { note(type, key) }
        func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) -> UInt16? { note(type, key) }
        func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) -> UInt32? { note(type, key) }
        func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) -> UInt64? { note(type, key) }

        private func note<Value: Decodable>(_ type: Value.Type, _ key: Key) -> Value? {
            record.add(key.stringValue, .optional(reader.read(type, seed: seed(key)).shape))
            return nil
        }
    }

    private struct Unkeyed: UnkeyedDecodingContainer {
        let reader: ShapeReader
        let record: ShapeRecord
        private(set) var currentIndex = 0

        init(reader: ShapeReader, record: ShapeRecord) {
            self.reader = reader
            self.record = record
        }

        var codingPath: [any CodingKey] { [] }
        var count: Int? { nil }
        var isAtEnd: Bool { currentIndex > 0 }

        mutating func decodeNil() -> Bool { false }

        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            currentIndex += 1
            return try ShapeDecoding.example(type, reader, nil) { record.shape = record.shape ?? .list($0) }
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> {
            throw NoExample()
        }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { throw NoExample() }
        mutating func superDecoder() throws -> any Decoder { throw NoExample() }
    }

    private struct Single: SingleValueDecodingContainer {
        let reader: ShapeReader
        let record: ShapeRecord
        let seed: JSON?

        var codingPath: [any CodingKey] { [] }
        func decodeNil() -> Bool { false }

        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try ShapeDecoding.example(type, reader, seed) { record.shape = $0 }
        }
    }
}
