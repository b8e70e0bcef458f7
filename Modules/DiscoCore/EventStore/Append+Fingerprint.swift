extension Append {
    /// Identifies the content, for an idempotency key: streams, types, payloads and tags of the events, without their ids
    /// and metadata.
    package var fingerprint: String {
        var bytes: [UInt8] = []
        func add(_ text: some Collection<UInt8>) {
            // With its length before it, so that no two lists of texts give the same bytes.
            bytes += "\(text.count):".utf8
            bytes += text
        }
        for event in events {
            add(event.stream.name.utf8)
            add(event.type.utf8)
            add("\(event.typeVersion)".utf8)
            add(event.payload.bytes)
            add("\(event.tags.count)".utf8)
            for tag in event.tags { add(tag.name.utf8) }
        }
        return "append:\(bytes.count):\(String(FNV1a.hash(bytes), radix: 16))"
    }
}
