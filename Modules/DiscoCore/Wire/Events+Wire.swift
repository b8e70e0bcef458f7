import Foundation

extension Metadata: WireRecord {
    static var isStrict: Bool { true }

    func write(to writer: inout WireWriter) {
        writer.member("correlation_id", correlationID)
        writer.member("causation_id", causationID)
        writer.verbatim("metadata", values, isOptional: true)
    }

    init(_ object: inout WireObject) throws {
        self.init(
            correlationID: try object.optional("correlation_id")?.uuid(),
            causationID: try object.optional("causation_id")?.uuid(), values: try object.verbatim("metadata"))
    }
}

extension [EventTag] {
    fileprivate func write(to writer: inout WireWriter) {
        writer.member("tags", .array(map { .string($0.name) }))
    }

    fileprivate init(_ object: inout WireObject) throws {
        self = try object.optional("tags")?.elements().map { EventTag(try $0.string()) } ?? []
    }
}

/// `id` may be left out and is then generated; a caller that wants an append to take effect once must give it.
extension NewEvent: WireRecord {
    static var isStrict: Bool { true }

    func write(to writer: inout WireWriter) {
        writer.member("id", id)
        writer.member("stream", stream.name)
        writer.member("type", type)
        writer.member("type_version", JSON(typeVersion))
        writer.verbatim("payload", payload, isOptional: false)
        metadata.write(to: &writer)
        tags.write(to: &writer)
    }

    init(_ object: inout WireObject) throws {
        try self.init(&object, in: StreamID(try object.required("stream").string()))
    }

    /// - Parameter stream: the stream, which the object need not name.
    init(_ object: inout WireObject, in stream: StreamID) throws {
        let payload = try object.verbatim("payload")
        self.init(
            id: try object.optional("id")?.uuid() ?? .timeOrdered(), stream: stream,
            type: try object.required("type").string(),
            typeVersion: try object.optional("type_version")?.integer() ?? 1,
            payload: payload ?? JSONText(JSON.null), metadata: try Metadata(&object), tags: try [EventTag](&object))
    }
}

extension RecordedEvent: WireRecord {
    static var isStrict: Bool { false }

    func write(to writer: inout WireWriter) {
        writer.member("position", position)
        writer.member("stream", stream.name)
        writer.member("version", JSON(version))
        writer.member("id", id)
        writer.member("type", type)
        writer.member("type_version", JSON(typeVersion))
        writer.verbatim("payload", payload, isOptional: false)
        metadata.write(to: &writer)
        tags.write(to: &writer)
        writer.member("recorded_at", recordedAt)
    }

    init(_ object: inout WireObject) throws {
        self.init(
            position: try object.required("position").position(),
            stream: StreamID(try object.required("stream").string()),
            version: try object.required("version").integer(), id: try object.required("id").uuid(),
            type: try object.required("type").string(),
            typeVersion: try object.optional("type_version")?.integer() ?? 1,
            payload: try object.verbatim("payload") ?? JSONText(JSON.null), metadata: try Metadata(&object),
            tags: try [EventTag](&object), recordedAt: try object.required("recorded_at").date())
    }
}
