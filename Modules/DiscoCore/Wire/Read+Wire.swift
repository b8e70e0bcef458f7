/// `{"items": [{"types": ["A", "B"], "tags": ["course:algebra"], "category": null, "stream": null}]}`
extension EventQuery: WireRecord {
    static var isStrict: Bool { true }

    func write(to writer: inout WireWriter) { writer.member("items", items) }

    init(_ object: inout WireObject) throws {
        self.init(items: try object.required("items").elements().map { try $0.record(Item.self) })
    }
}

extension EventQuery.Item: WireRecord {
    static var isStrict: Bool { true }

    func write(to writer: inout WireWriter) {
        writer.member("types", .array(types.map(JSON.string)))
        writer.member("tags", .array(tags.map { .string($0.name) }))
        writer.member("category", category)
        writer.member("stream", stream?.name)
    }

    init(_ object: inout WireObject) throws {
        self.init(
            types: try object.optional("types")?.elements().map { try $0.string() } ?? [],
            tags: try object.optional("tags")?.elements().map { EventTag(try $0.string()) } ?? [],
            category: try object.optional("category")?.string(),
            stream: try object.optional("stream").map { StreamID(try $0.string()) })
    }
}

/// Every member has a default; that of `query` is every event, so `{}` reads everything from the beginning.
extension Read: WireRecord {
    static var isStrict: Bool { true }

    func write(to writer: inout WireWriter) {
        writer.member("query", query)
        writer.member("direction", direction == .forward ? "forward" : "backward")
        writer.member("after", after)
        writer.member("up_to", upTo)
        writer.member("from_version", versions.map { JSON($0.lowerBound) } ?? .null)
        writer.member("to_version", versions.map { JSON($0.upperBound) } ?? .null)
        writer.member("as_of", asOf)
        writer.member("limit", JSON(limit))
        writer.member("byte_limit", JSON(byteLimit))
        writer.member("from_slice", slices.map { JSON($0.lowerBound) } ?? .null)
        writer.member("to_slice", slices.map { JSON($0.upperBound) } ?? .null)
        writer.member("settles", .bool(settles))
    }

    init(_ object: inout WireObject) throws {
        let defaults = Read()
        let versions = try Self.range(&object, "from_version", "to_version", 1, .max)
        let slices = try Self.range(&object, "from_slice", "to_slice", 0, StreamID.slices - 1)
        self.init(
            try object.optional("query")?.record(EventQuery.self) ?? .all,
            direction: try object.optional("direction").map(Self.direction) ?? .forward,
            after: try object.optional("after")?.position() ?? .start,
            upTo: try object.optional("up_to")?.position(), versions: versions,
            asOf: try object.optional("as_of")?.date(),
            limit: try object.optional("limit")?.integer() ?? defaults.limit,
            byteLimit: try object.optional("byte_limit")?.integer() ?? defaults.byteLimit, slices: slices)
        settles = try object.optional("settles")?.bool() ?? false
    }

    private static func direction(_ value: WireValue) throws -> Direction {
        switch try value.string() {
        case "forward": .forward
        case "backward": .backward
        default: throw value.error("must be one of: forward, backward")
        }
    }

    private static func range(
        _ object: inout WireObject, _ from: String, _ to: String, _ least: Int, _ most: Int
    ) throws -> ClosedRange<Int>? {
        let (first, last) = (object.optional(from), object.optional(to))
        if first == nil, last == nil { return nil }
        let (lower, upper) = (try first?.integer() ?? least, try last?.integer() ?? most)
        guard lower <= upper else {
            throw ValidationError([(first ?? last)?.path ?? from: ["must not be greater than the end of the range"]])
        }
        return lower...upper
    }
}

extension Page: WireRecord {
    static var isStrict: Bool { false }

    func write(to writer: inout WireWriter) {
        writer.member("events", events)
        writer.member("through", through)
        writer.member("through_id", throughID)
        writer.member("head", head)
        writer.member("has_more", .bool(hasMore))
        writer.member("settled", settled)
    }

    init(_ object: inout WireObject) throws {
        self.init(
            events: try object.required("events").elements().map { try $0.record(RecordedEvent.self) },
            through: try object.required("through").position(), head: try object.required("head").position(),
            hasMore: try object.required("has_more").bool(), throughID: try object.optional("through_id")?.uuid(),
            settled: try object.optional("settled")?.date())
    }
}
