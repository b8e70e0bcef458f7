package import DiscoCore

/// Gathers the events of one page, and tells where it ends.
package struct PageBounds {
    private let read: Read
    private let upTo: Position

    package init(_ read: Read, upTo: Position) {
        self.read = read
        self.upTo = upTo
    }

    /// - Parameter candidates: what matches within the bounds, in the read's direction; only as much as needed is
    ///   taken. Head and `throughID` are left to the caller.
    package func collect(_ candidates: some Sequence<RecordedEvent>) -> Page {
        var events: [RecordedEvent] = []
        var bytes = 0
        if read.limit > 0 {
            for event in candidates {
                events.append(event)
                bytes += event.payload.bytes.count
                if events.count == read.limit || bytes >= read.byteLimit { break }
            }
        }
        let full = events.count == read.limit || bytes >= read.byteLimit
        return page(events, full: full)
    }

    package func page(_ events: [RecordedEvent], full: Bool) -> Page {
        let through: Position
        switch read.direction {
        case .forward: through = full ? events.last?.position ?? read.after : max(upTo, read.after)
        case .backward: through = full ? events.last?.position ?? upTo : read.after
        }
        let hasMore =
            switch read.direction {
            case .forward: full && through < upTo
            case .backward: full && through.rawValue - 1 > read.after.rawValue
            }
        return Page(events: events, through: through, head: upTo, hasMore: hasMore, throughID: nil)
    }
}

extension Sequence<RecordedEvent> {
    /// As many as a ``VersionConflict`` carries.
    package func boundedAsUnseen() -> [RecordedEvent] {
        var bytes = 0
        var result: [RecordedEvent] = []
        for event in self {
            bytes += event.payload.bytes.count
            if result.count == VersionConflict.mostUnseen
                || (bytes > VersionConflict.mostUnseenBytes && !result.isEmpty)
            {
                break
            }
            result.append(event)
        }
        return result
    }
}
