/// Lists of the wire form: what several requests or answers are sent as.
package enum WireList {
    /// The values of a JSON list.
    package static func read<Value: WireForm>(_ type: Value.Type, _ text: JSONText) throws -> [Value] {
        try elements(text).map { try Value(wire: JSONText(unchecked: $0.bytes)) }
    }

    /// The texts of the elements of a JSON list; nil if it is no list.
    package static func texts(_ text: JSONText) throws -> [JSONText]? {
        guard text.isList else { return nil }
        return try elements(text).map { JSONText(unchecked: $0.bytes) }
    }

    package static func write(_ texts: some Sequence<JSONText>) -> JSONText {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for text in texts {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            bytes += text.bytes
        }
        bytes.append(UInt8(ascii: "]"))
        return JSONText(unchecked: bytes)
    }

    /// An object with one member, a list.
    package static func object(_ name: String, _ texts: some Sequence<JSONText>) -> JSONText {
        JSONText(unchecked: Array("{\"\(name)\":".utf8) + write(texts).bytes + [UInt8(ascii: "}")])
    }

    /// The text of one member of an object; nil if the object does not have it.
    package static func member(_ name: String, of text: JSONText) throws -> JSONText? {
        var object = try WireValue(text.bytes).object()
        return object.optional(name).map { JSONText(unchecked: $0.bytes) }
    }

    private static func elements(_ text: JSONText) throws -> [WireValue] {
        try WireValue(text.bytes).elements()
    }
}

extension JSONText {
    /// Whether the text begins like a list.
    package var isList: Bool { bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "[") }
}

extension NewEvent {
    /// The events of a request that names their stream elsewhere: one object, or a list.
    ///
    /// - Throws: ``ValidationError`` also if an event names another stream.
    package static func events(wire: JSONText, in stream: StreamID) throws -> [NewEvent] {
        let value = WireValue(wire.bytes)
        let values = wire.isList ? try value.elements() : [value]
        return try values.map { value in
            var object = try value.object()
            let named = object.optional("stream")
            if let named, StreamID(try named.string()) != stream { throw named.error("must be the stream of the path") }
            let event = try NewEvent(&object, in: stream)
            try object.refuseUnknown()
            return event
        }
    }
}
