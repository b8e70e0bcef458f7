public import DiscoCore

extension VersionConflict {
    /// Returns the conflict with the events that the caller has not seen, for a store that finds conflicts under its
    /// lock and reads those events after releasing it.
    ///
    /// - Parameter page: returns the events that a read selects. If it throws, the conflict is returned without them:
    ///   other appends of the batch are already recorded, and no error may say that they are not.
    public func withUnseen(_ page: (Read) throws -> [RecordedEvent]) -> VersionConflict {
        VersionConflict(
            streams: streams.map { stream in
                guard let read = stream.readOfUnseen, let events = try? page(read) else { return stream }
                return stream.withUnseen(events)
            })
    }

    /// Does the same as ``withUnseen(_:)``, for a store that reads the events by async calls.
    ///
    /// - Parameter page: returns the events that a read selects. If it throws, the conflict is returned without them.
    public func readingUnseen(_ page: (Read) async throws -> [RecordedEvent]) async -> VersionConflict {
        var known: [Stream] = []
        for stream in streams {
            if let read = stream.readOfUnseen, let events = try? await page(read) {
                known.append(stream.withUnseen(events))
            } else {
                known.append(stream)
            }
        }
        return VersionConflict(streams: known)
    }
}

extension VersionConflict.Stream {
    /// The version up to which the caller has seen the stream; `nil` if there is nothing that it has not seen.
    private var seen: Int? {
        guard case .exactly(let expected) = expected, max(0, expected) < actual else { return nil }
        return max(0, expected)
    }

    /// A read that starts at the last event that the caller has seen: if that event was erased, the caller may not
    /// continue from it.
    fileprivate var readOfUnseen: Read? {
        seen.map { seen in
            Read(
                .stream(stream), versions: max(1, seen)...actual, limit: VersionConflict.mostUnseen + 1,
                byteLimit: 2 * VersionConflict.mostUnseenBytes)
        }
    }

    /// - Parameter events: the events that ``readOfUnseen`` selects.
    fileprivate func withUnseen(_ events: [RecordedEvent]) -> Self {
        guard let seen else { return self }
        var unseen = events[...]
        let isSound = seen == 0 || unseen.first?.version == seen
        if unseen.first?.version == seen { unseen.removeFirst() }
        let bounded = unseen.boundedAsUnseen()
        return Self(
            stream: stream, expected: expected, actual: actual, unseen: bounded,
            complete: isSound && seen + bounded.count == actual)
    }
}
