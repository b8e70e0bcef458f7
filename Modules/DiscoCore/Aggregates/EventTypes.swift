/// Which type each case of an enum of events is recorded as, and back; and what about the enum would lose events.
struct EventTypes: Sendable {
    /// Why events of this Swift type cannot be recorded so that they are found again: sentences, each with what to do.
    let problems: [String]
    /// All types, sorted; nil where decoding is written by hand and the cases cannot be told.
    let known: [String]?
    private let typeOfCase: [ExactText: String]
    private let caseOfType: [ExactText: String]

    private static let all = Locked<[ObjectIdentifier: EventTypes]>([:])

    static func of<Event: DomainEvent>(_ event: Event.Type) -> EventTypes {
        let id = ObjectIdentifier(event)
        if let types = all.withLock({ $0[id] }) { return types }
        let types = EventTypes(event)
        all.withLock { $0[id] = types }
        return types
    }

    private init<Event: DomainEvent>(_ event: Event.Type) {
        let cases = EventCases.of(event)
        var problems = cases.problem.map { ["\(event) \($0)"] } ?? []
        var typeOfCase = Dictionary(Event.typesOfCases.map { (ExactText($0.key), $0.value) }) { $1 }
        var caseOfType: [ExactText: String] = [:]
        let names = cases.names ?? Event.typesOfCases.keys.sorted()
        for name in names {
            let type = typeOfCase[ExactText(name)] ?? DerivedName.capitalized(name)
            typeOfCase[ExactText(name)] = type
            if let other = caseOfType.updateValue(name, forKey: ExactText(type)) {
                problems.append(
                    "\(event) records both of its cases \(other) and \(name) as \(type). "
                        + "Rename one of them, or give it another type in `typesOfCases`.")
            }
            do {
                try Append.check(type: type)
            } catch {
                problems.append("\(event) records its case \(name) under a name that no store takes. \(error)")
            }
        }
        if let names = cases.names {
            let known = Set(names.map(ExactText.init))
            for name in Event.typesOfCases.keys.sorted() where !known.contains(ExactText(name)) {
                problems.append(
                    "`typesOfCases` of \(event) names the case \(name), which does not exist. "
                        + "The cases are \(names.sorted().joined(separator: ", ")).")
            }
            for type in Event.typeVersions.keys.sorted() where caseOfType[ExactText(type)] == nil {
                problems.append(
                    "`typeVersions` of \(event) names the type \(type), which none of its cases is recorded as. "
                        + "The types are \(caseOfType.keys.map(\.text).sorted().joined(separator: ", ")).")
            }
        }
        for (type, version) in Event.typeVersions.sorted(by: { $0.key < $1.key })
        where !NewEvent.typeVersions.contains(version) {
            problems.append(
                "`typeVersions` of \(event) gives \(type) the version \(version). "
                    + "Versions go from \(NewEvent.typeVersions.lowerBound) to \(NewEvent.typeVersions.upperBound).")
        }
        self.problems = problems
        self.typeOfCase = typeOfCase
        self.caseOfType = caseOfType
        known = cases.names.map { _ in caseOfType.keys.map(\.text).sorted() }
    }

    func type(ofCase name: String) -> String { typeOfCase[ExactText(name)] ?? DerivedName.capitalized(name) }

    /// Nil where no case is recorded under this type.
    func caseName(ofType type: String) -> String? {
        caseOfType[ExactText(type)] ?? (known == nil ? DerivedName.uncapitalized(type) : nil)
    }
}

/// The cases of an enum with synthesised coding, found by having it decode something that has none of them.
private struct EventCases {
    /// Nil where they cannot be told.
    var names: [String]?
    /// What is wrong with the type; completes a sentence that begins with its name.
    var problem: String?

    static func of<Event: DomainEvent>(_ event: Event.Type) -> EventCases {
        let record = Record()
        _ = try? Event(from: Probe(record: record))
        if record.isSingleValue {
            return EventCases(problem: "is encoded as a single value. Make it an enum without a raw type.")
        }
        if record.isEnum { return EventCases(names: record.names) }
        // Decoding is written by hand, or it is no enum: an example tells.
        if let example = ShapeReader().read(event).example, let style = Mirror(reflecting: example).displayStyle,
            style != .enum
        {
            return EventCases(problem: "is a \(style). Make it an enum, with a case for each type of event.")
        }
        return EventCases()
    }

    private final class Record {
        var names: [String]?
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

        /// Only synthesised decoding of an enum begins with this.
        var allKeys: [Key] {
            record.isEnum = true
            record.names = EnumCases.all(of: Key.self)?.map(\.stringValue)
            return []
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
