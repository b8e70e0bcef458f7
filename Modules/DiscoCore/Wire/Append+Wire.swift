/// `{"events": […], "expect": {"wallet-1": 3, "wallet-2": "none"}, "condition": {"query": …, "after": 7}, "key": {"key":
/// "…", "fingerprint": "…"}}`
extension Append: WireRecord {
    static var isStrict: Bool { true }

    func write(to writer: inout WireWriter) {
        writer.member("events", events)
        writer.member("expect") { writer in
            for (stream, expected) in expect.sorted(by: { $0.key.name < $1.key.name }) {
                writer.member(stream.name, expected.json)
            }
        }
        writer.member("condition", condition)
        writer.member("key", key)
    }

    init(_ object: inout WireObject) throws {
        let expected = try object.optional("expect")?.object().all() ?? []
        self.init(
            try object.required("events").elements().map { try $0.record(NewEvent.self) },
            expect: Dictionary(
                try expected.map { (StreamID($0.name), try ExpectedVersion($0.value)) },
                uniquingKeysWith: { first, _ in first }),
            condition: try object.optional("condition")?.record(AppendCondition.self),
            key: try object.optional("key")?.record(IdempotencyKey.self))
    }
}

extension ExpectedVersion {
    init(_ value: WireValue) throws {
        switch try value.json() {
        case "any": self = .any
        case "none": self = .noStream
        case "exists": self = .streamExists
        case .number(let number):
            guard let version = number.integer else { fallthrough }
            self = .exactly(version)
        default: throw value.error("must be a version, \"any\", \"none\" or \"exists\"")
        }
    }
}

extension AppendCondition: WireRecord {
    static var isStrict: Bool { true }

    func write(to writer: inout WireWriter) {
        writer.member("query", query)
        writer.member("after", after)
    }

    init(_ object: inout WireObject) throws {
        self.init(
            noneMatch: try object.required("query").record(EventQuery.self),
            after: try object.optional("after")?.position() ?? .start)
    }
}

extension IdempotencyKey: WireRecord {
    static var isStrict: Bool { true }

    func write(to writer: inout WireWriter) {
        writer.member("key", key)
        writer.member("fingerprint", fingerprint)
    }

    init(_ object: inout WireObject) throws {
        self.init(
            try object.required("key").string(), fingerprint: try object.required("fingerprint").string())
    }
}

extension Appended: WireRecord {
    static var isStrict: Bool { false }

    func write(to writer: inout WireWriter) {
        writer.member("events", events)
        writer.member("repeated", .bool(repeated))
    }

    init(_ object: inout WireObject) throws {
        self.init(
            events: try object.required("events").elements().map { try $0.record(Event.self) },
            repeated: try object.optional("repeated")?.bool() ?? false)
    }
}

extension Appended.Event: WireRecord {
    static var isStrict: Bool { false }

    func write(to writer: inout WireWriter) {
        writer.member("id", id)
        writer.member("stream", stream.name)
        writer.member("version", JSON(version))
        writer.member("position", position)
    }

    init(_ object: inout WireObject) throws {
        self.init(
            id: try object.required("id").uuid(), stream: StreamID(try object.required("stream").string()),
            version: try object.required("version").integer(), position: try object.required("position").position())
    }
}
