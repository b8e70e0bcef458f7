public import DiscoCore

/// Collects the events of one page, and determines where the page ends.
///
/// ```swift
/// var page = PageBounds(read, upTo: upTo)
/// while !page.isFull, let row = try rows.next() { page.take(try event(of: row)) }
/// return page.page()
/// ```
public struct PageBounds: Sendable {
    private let read: Read
    private let upTo: Position
    /// The events taken so far.
    public private(set) var events: [RecordedEvent] = []
    private var bytes = 0

    /// - Parameters:
    ///   - read: a read that `Read.checked()` returned.
    ///   - upTo: the last position that can be in the page: the minimum of the head, the read's `upTo`, and the
    ///     position of the last event recorded as of its `asOf`.
    public init(_ read: Read, upTo: Position) {
        self.read = read
        self.upTo = upTo
    }

    /// Whether the page has reached the read's limit of events or of payload bytes.
    public var isFull: Bool { events.count >= read.limit || bytes >= read.byteLimit }

    /// Adds the next matching event, in the read's direction, unless the page is full.
    public mutating func take(_ event: RecordedEvent) {
        if isFull { return }
        events.append(event)
        bytes += event.payload.bytes.count
    }

    /// Returns the page; call it once the page is full or nothing more matches. Its `head` is the last position that
    /// was examined, and its `throughID` is `nil`: the caller sets both.
    public func page() -> Page {
        let (last, full) = (events.last?.position, isFull)
        let through: Position
        switch read.direction {
        case .forward: through = full ? last ?? read.after : max(upTo, read.after)
        case .backward: through = full ? last ?? upTo : read.after
        }
        let hasMore =
            switch read.direction {
            case .forward: full && through < upTo
            // If it lies beyond, one less is still a valid position.
            case .backward: full && through > read.after && through.rawValue - 1 > read.after.rawValue
            }
        return Page(events: events, through: through, head: upTo, hasMore: hasMore, throughID: nil)
    }

    /// - Parameter candidates: the matching events within the bounds, in the read's direction; only as many as needed
    ///   are consumed.
    /// - Returns: the same as ``page()``.
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
}

extension Sequence<RecordedEvent> {
    /// Returns the first events, as many as a `VersionConflict` carries: at most `mostUnseen` events with
    /// `mostUnseenBytes` bytes of payload, but always the first event.
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
