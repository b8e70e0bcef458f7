struct JSONKeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let object: JSON.Object
    let decoding: JSONDecoding
    var codingPath: [any CodingKey] { decoding.codingPath }

    var allKeys: [Key] {
        let keys = object.names.compactMap { Key(stringValue: $0) }
        decoding.issues?.knows(keys.map(\.stringValue), of: object, at: codingPath)
        return keys
    }

    func contains(_ key: Key) -> Bool { member(key) != nil }
    func decodeNil(forKey key: Key) -> Bool { member(key) == .null }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try decoding.at(member(key), key).decode(type)
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        guard let value = member(key), value != .null else { return nil }
        do {
            return try decoding.at(value, key).decode(type)
        } catch let error as DecodingError where error.isReported {
            return nil
        }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try decoding.at(member(key), key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoding.at(member(key), key).unkeyedContainer()
    }

    /// Reads the key where an encoder stores what a class inherits, as Foundation's does.
    func superDecoder() -> any Decoder { decoding.at(member("super"), JSON.AnyName(stringValue: "super")) }
    func superDecoder(forKey key: Key) -> any Decoder { decoding.at(member(key), key) }

    private func member(_ key: Key) -> JSON? { member(key.stringValue) }

    private func member(_ name: String) -> JSON? {
        decoding.issues?.knows([name], of: object, at: codingPath)
        return object[name]
    }
}

struct JSONUnkeyedDecoding: UnkeyedDecodingContainer {
    let elements: [JSON]
    let decoding: JSONDecoding
    var codingPath: [any CodingKey] { decoding.codingPath }
    var currentIndex = 0
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    private mutating func next(_ type: Any.Type) throws -> JSONDecoding {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                type, .init(codingPath: codingPath, debugDescription: "The list ends after \(elements.count) elements.")
            )
        }
        defer { currentIndex += 1 }
        return decoding.at(elements[currentIndex], JSON.Place(currentIndex))
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, elements[currentIndex] == .null else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next(type).decode(type) }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try next([String: JSON].self).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next([JSON].self).unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { try next(JSON.self) }
}
