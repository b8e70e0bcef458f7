package import DiscoCore

extension VersionConflict {
    /// With the events that callers have not seen, read after the store's lock was released.
    ///
    /// - Parameter page: the events that a read selects. Where it fails, the conflict goes without them: by now other
    ///   appends of the batch are recorded, and no error may say that they are not.
    package func withUnseen(_ page: (Read) throws -> [RecordedEvent]) -> VersionConflict {
        VersionConflict(
            streams: streams.map { stream in
                guard case .exactly(let expected) = stream.expected else { return stream }
                // From the last event that the caller has seen: where that was erased, it may not go on from it.
                let seen = max(0, expected)
                guard seen < stream.actual else { return stream }
                let read = Read(
                    .stream(stream.stream), versions: max(1, seen)...stream.actual, limit: Self.mostUnseen + 1,
                    byteLimit: 2 * Self.mostUnseenBytes)
                guard var unseen = try? page(read)[...] else { return stream }
                let isSound = seen == 0 || unseen.first?.version == seen
                if unseen.first?.version == seen { unseen.removeFirst() }
                let bounded = unseen.boundedAsUnseen()
                return Stream(
                    stream: stream.stream, expected: stream.expected, actual: stream.actual, unseen: bounded,
                    complete: isSound && seen + bounded.count == stream.actual)
            })
    }
}
