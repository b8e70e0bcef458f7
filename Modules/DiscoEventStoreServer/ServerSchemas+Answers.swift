#if HTTP
import DiscoCore
import DiscoHTTPSupport

extension ServerSchemas {
    static let answers: JSON.Object = [
        "RecordedEvent": .object(
            object(
                ["position", "stream", "version", "id", "type", "type_version", "recorded_at"],
                [
                    "position": ref("Position"), "stream": ref("StreamName"),
                    "version": noted("The place of the event in its stream, from 1.", version), "id": id, "type": text,
                    "type_version": integer(1...Int(Int32.max)), "payload": noted("As it was appended.", [:]),
                    "payload_text": noted("Instead of a payload that one line of JSON cannot hold unchanged.", text),
                    "payload_base64": noted("Instead of a payload that is not UTF-8.", text),
                    "correlation_id": optional(id), "causation_id": optional(id), "metadata": [:],
                    "metadata_text": text, "metadata_base64": text, "tags": list(text), "recorded_at": time,
                ])),
        "Page": .object(
            object(
                ["events", "through", "head", "has_more"],
                [
                    "events": list(ref("RecordedEvent")),
                    "through": noted(
                        "The position up to which the events are complete; the next page starts after it.",
                        ref("Position")),
                    "through_id": noted("The id of the event at this position.", optional(id)),
                    "head": noted("The last position of the store.", ref("Position")), "has_more": flag,
                    "settled": noted(
                        "Every event that is recorded after this page has a later time.", optional(time)),
                ])),
        "Appended": .object(
            object(
                ["events", "repeated"],
                [
                    "events": list(
                        .object(
                            object(
                                ["id", "stream", "version", "position"],
                                [
                                    "id": id, "stream": ref("StreamName"), "version": version,
                                    "position": ref("Position"),
                                ]))), "repeated": noted("Whether the append was recorded before.", flag),
                ])),
        "StoreIdentity": .object(
            object(
                ["store", "epoch"],
                ["store": id, "epoch": noted("Grows when a backup is restored.", integer(0...Int.max))]
            )),
        "Streams": .object(
            object(
                ["streams"],
                [
                    "streams": list(
                        .object(object(["stream", "version"], ["stream": ref("StreamName"), "version": version])))
                ])),
        "Deletion": .object(object(["deleted"], ["deleted": flag])),
        "Forgotten": .object(object(["forgotten"], ["forgotten": count])),
        "Count": .object(object(["count"], ["count": count])),
        "VerifiedPage": .object(
            object(
                ["findings", "through", "head"],
                [
                    "findings": list(
                        .object(
                            object(
                                ["finding", "position", "message"],
                                ["finding": text, "position": ref("Position"), "message": text]))),
                    "through": ref("Position"), "head": ref("Position"),
                ])),
        "Head": .object(object(["head"], ["head": ref("Position")])),
        "HeadLine": line(
            "One line: the last position at first and whenever it has grown, otherwise a heartbeat, and an end if the server ends the stream.",
            ["head": ref("Position"), "heartbeat": [true], "end": ends]),
        "LiveLine": line(
            "One line: an event; the position up to which all events were sent or do not match; the same once all recorded events were sent; a heartbeat; or an end, if the server ends the stream.",
            [
                "event": ref("RecordedEvent"), "progress": ref("Position"), "caught_up": ref("Position"),
                "heartbeat": [true], "end": ends,
            ]),
        "Consumers": .object(
            object(["head", "consumers"], ["head": ref("Position"), "consumers": list(.object(consumer))])),
        "Version": .object(object(["name", "api"], ["name": text, "api": integer(1...Int.max)])),
        "CloudEvent": .object(
            object(
                ["specversion", "id", "source", "type"],
                [
                    "specversion": ["const": "1.0"], "id": id, "source": ["type": "string", "format": "uri-reference"],
                    "type": text,
                    "subject": ref("StreamName"), "time": time, "datacontenttype": text, "sequence": text,
                    "recordedtime": time, "dataversion": text, "correlationid": text, "causationid": text,
                    "traceparent": text, "data": [:],
                ])),
    ]

    private static let consumer = object(
        [
            "consumer", "role", "generation", "version", "state", "position", "head", "lag", "lag_seconds", "held",
            "parked", "attempts", "reason", "paused", "partitions",
        ],
        [
            "consumer": text,
            "role": noted(
                "Whether queries see it, it is being built, or it was live before.",
                ["type": "string", "enum": ["live", "building", "previous"]]),
            "generation": integer(1...Int(Int32.max)), "version": integer(0...Int(Int32.max)), "state": text,
            "position": ref("Position"), "head": ref("Position"),
            "lag": noted("How many events it is behind.", optional(count)),
            "lag_seconds": noted(
                "The age of the oldest event that it has not passed.", ["type": ["number", "null"], "minimum": 0]),
            "held": noted("How many streams wait behind an event that failed.", count),
            "parked": noted("How many of them are not tried again.", count),
            "attempts": noted("The highest number of attempts for an event that is held.", count),
            "reason": noted("The latest failure.", optional(text)),
            "paused": noted("Why it is paused.", optional(text)),
            "partitions": list(
                .object(
                    object(
                        [
                            "from_slice", "to_slice", "position", "host", "build", "stored_at", "crashes", "held",
                            "parked",
                        ],
                        [
                            "from_slice": integer(0...StreamID.slices - 1),
                            "to_slice": integer(0...StreamID.slices - 1),
                            "position": ref("Position"),
                            "host": noted("Where the process runs that works on it.", optional(text)),
                            "build": optional(text), "stored_at": optional(text), "crashes": count, "held": count,
                            "parked": count,
                        ]))),
        ])

    private static let ends: JSON = ["draining", "not_authenticated"]

    /// An object with one of the members. A list stands for the values that are possible.
    private static func line(_ text: String, _ members: JSON.Object) -> JSON {
        let members = members.map { member in
            (member.name, member.value.array.map { ["enum": .array($0)] } ?? member.value)
        }
        var schema = object([], JSON.Object(members))
        schema["minProperties"] = 1
        schema["maxProperties"] = 1
        return noted(text, .object(schema))
    }
}
#endif
