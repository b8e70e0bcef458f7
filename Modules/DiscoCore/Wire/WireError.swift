import Foundation

/// An error in the wire form: `{"error": code, "kind": …, "message": …}` and its data; a ``VersionConflict`` includes
/// the events that its caller has not seen.
///
/// When read back, a refusal of the store has its own type, with everything in it. Any other error is an
/// ``EventStoreError`` with the code, kind and message, even ``OutcomeUnknown``, because the sender knows the append.
public struct WireError: WireForm {
    public let error: any Error

    public init(_ error: any Error) { self.error = error }
}

extension WireError: WireRecord {
    static var isStrict: Bool { false }

    func write(to writer: inout WireWriter) {
        let description = ErrorDescription(error)
        writer.member("error", description.code)
        writer.member("kind", description.kind.rawValue)
        writer.member("message", description.message)
        if let conflict = error as? VersionConflict {
            writer.list("streams", conflict.streams) { writer, stream in
                writer.object { writer in
                    for member in stream.json { writer.member(member.name, member.value) }
                    writer.member("unseen", stream.unseen)
                    writer.member("complete", .bool(stream.complete))
                }
            }
            return
        }
        let own: Set = ["error", "kind", "message"]
        for member in description.data where !own.contains(member.name) { writer.member(member.name, member.value) }
    }

    init(_ object: inout WireObject) throws {
        let code = try object.required("error").string()
        let message = try object.optional("message")?.string() ?? ""
        let kind = try object.optional("kind")?.string()
        error =
            switch code {
            case "version_conflict": try Self.conflict(&object)
            case "condition_failed":
                ConditionFailed(
                    position: try object.required("position").position(), id: try object.required("id").uuid())
            case "duplicate_event": DuplicateEvent(id: try object.required("id").uuid())
            case "idempotency_conflict": IdempotencyConflict(key: try object.required("key").string())
            case "stream_deleted": StreamDeleted(stream: StreamID(try object.required("stream").string()))
            case "validation": ValidationError(try Self.fields(&object))
            default:
                EventStoreError(
                    EventStoreError.Code(code, kind.flatMap(ErrorKind.init(rawValue:)) ?? .internal), message)
            }
    }

    private static func conflict(_ object: inout WireObject) throws -> VersionConflict {
        VersionConflict(
            streams: try object.required("streams").elements().map { element in
                var stream = try element.object()
                return .init(
                    stream: StreamID(try stream.required("stream").string()),
                    expected: try ExpectedVersion(stream.required("expected")),
                    actual: try stream.required("actual").integer(),
                    unseen: try stream.optional("unseen")?.elements().map { try $0.record(RecordedEvent.self) } ?? [],
                    complete: try stream.optional("complete")?.bool() ?? false)
            })
    }

    private static func fields(_ object: inout WireObject) throws -> [String: [String]] {
        Dictionary(
            try object.required("fields").object().all().map { name, value in
                (name, try value.elements().map { try $0.string() })
            }, uniquingKeysWith: { first, _ in first })
    }
}
