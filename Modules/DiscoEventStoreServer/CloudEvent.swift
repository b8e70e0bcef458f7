#if HTTP
import DiscoCore
import DiscoHTTPSupport
import Foundation

/// Events as CloudEvents 1.0 (cloudevents.io): the id, the type and the time of the event, the store as its source, the
/// stream as its subject, and the payload as its data.
enum CloudEvent {
    static let batchType = "application/cloudevents-batch+json"

    /// Where the events come from: the store, as a URN.
    struct Source: Sendable {
        let urn: String
        init(_ identity: StoreIdentity) { urn = "urn:uuid:" + identity.store.uuidString.lowercased() }
    }

    static func text(of event: RecordedEvent, _ source: Source) -> JSONText {
        var members: [(String, JSON)] = [
            ("specversion", "1.0"), ("id", .string(event.id.uuidString.lowercased())),
            ("source", .string("\(source.urn)/streams/\(PercentEncoding.encode(event.stream.name))")),
            ("type", .string(event.type)),
            ("subject", .string(event.stream.name)), ("time", .string(Timestamp.text(of: event.recordedAt) ?? "")),
            ("datacontenttype", "application/json"), ("sequence", .string("\(event.position.rawValue)")),
            ("recordedtime", .string(Timestamp.text(of: event.recordedAt) ?? "")),
            ("dataversion", .string("\(event.typeVersion)")),
        ]
        if let id = event.metadata.correlationID {
            members.append(("correlationid", .string(id.uuidString.lowercased())))
        }
        if let id = event.metadata.causationID {
            members.append(("causationid", .string(id.uuidString.lowercased())))
        }
        if let trace = event.metadata.trace["traceparent"] { members.append(("traceparent", .string(trace))) }
        // The payload stays as it was recorded.
        var bytes = JSONText(.object(JSON.Object(members))).bytes
        bytes.removeLast()
        bytes += Array(",\"data\":".utf8) + event.payload.bytes + [UInt8(ascii: "}")]
        return JSONText(unchecked: bytes)
    }
}
#endif
