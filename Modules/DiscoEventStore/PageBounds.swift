public import DiscoCore

/// Gathers the events of one page, and tells where it ends.
///
/// ```swift
/// var page = PageBounds(read, upTo: upTo)
/// while !page.isFull, let row = try rows.next() { page.take(try event(of: row)) }
/// return page.page()
/// ```
public struct PageBounds: Sendable {
    private let read: Read
    private let upTo: Position
    /// What was taken.
    public private(set) var events: [RecordedEvent] = []
    private var bytes = 0

    /// - Parameters:
    ///   - read: as `Read.checked()` gave it.
    ///   - upTo: the last position that can be in the page: the least of the head, the read's `upTo`, and the last event
    ///     recorded as of its `asOf`.
    public init(_ read: Read, upTo: Position) {
        self.read = read
        self.upTo = upTo
    }

    /// Whether the page has as many events, or as many bytes of payload, as were asked for.
    public var isFull: Bool { events.count >= read.limit || bytes >= read.byteLimit }

    /// Adds the next event that matches, in the read's direction, unless the page is full.
    public mutating func take(_ event: RecordedEvent) {
        if isFull { return }
        events.append(event)
        bytes += event.payload.bytes.count
    }

    /// The page, once it is full or nothing more matches. Its `head` is the last position that was looked at, and its
    /// `throughID` is nil: the caller sets both.
    public func page() -> Page { page(events, full: isFull) }

    /// - Parameter candidates: what matches within the bounds, in the read's direction; only as much as needed is taken.
    /// - Returns: as ``page()`` does.
    public func collect(_ candidates: some Sequence<RecordedEvent>) -> Page {
        var gathered = self
        if !gathered.isFull {
            for event in candidates {
                gathered.take(event)
                if gathered.isFull { break }
            }
        }
        return gathered.page()
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
            // Where it lies beyond, one less is still a position.
            case .backward: full && through > read.after && through.rawValue - 1 > read.after.rawValue
            }
        return Page(events: events, through: through, head: upTo, hasMore: hasMore, throughID: nil)
    }
}

extension Sequence<RecordedEvent> {
    /// As many, from the first, as a `VersionConflict` carries: at most `mostUnseen` events with `mostUnseenBytes` bytes of
    /// payload, but one in any case.
    public func boundedAsUnseen() -> [RecordedEvent] {
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
