public import Foundation

/// A request for one page of events.
public struct Read: Hashable, Sendable {
    public enum Direction: Hashable, Sendable { case forward, backward }

    public var query: EventQuery
    public var direction: Direction
    /// Only events after this position.
    public var after: Position
    /// Only events at or below this position.
    public var upTo: Position?
    /// Only events with a version in this range. For reading one stream.
    public var versions: ClosedRange<Int>?
    /// Only events recorded at or before this time: the store as it was then.
    public var asOf: Date?
    /// The maximum number of events in the page.
    public var limit: Int
    /// The page ends, after at least one event, when its payloads exceed this many bytes.
    public var byteLimit: Int
    /// Only events whose stream's ``StreamID/slice`` lies in this range.
    public var slices: ClosedRange<Int>?
    /// Whether ``Page/settled`` is brought up to the present, for which the store takes its append lock and writes. For
    /// callers that wait for a time to pass, about once a second; not for ordinary readers.
    public var settles = false
    /// Whether an event that an upcaster drops is returned as ``RecordedEvent/dropped``: folding a stream needs its
    /// version.
    var showsDropped = false
    /// Whether an event whose upcaster fails is returned as recorded, with its position in ``Page/failures``, instead
    /// of failing the read.
    package var showsFailures = false

    public init(
        _ query: EventQuery = .all, direction: Direction = .forward, after: Position = .start, upTo: Position? = nil,
        versions: ClosedRange<Int>? = nil, asOf: Date? = nil, limit: Int = 1000, byteLimit: Int = 1 << 20,
        slices: ClosedRange<Int>? = nil
    ) {
        self.query = query
        self.direction = direction
        self.after = after
        self.upTo = upTo
        self.versions = versions
        self.asOf = asOf
        self.limit = max(0, limit)
        self.byteLimit = max(1, byteLimit)
        self.slices = slices
    }
}

extension Read {
    /// Returns this request, validated and clamped to valid bounds. Every store calls this before it reads.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidArgument`` for a name that no event can
    ///   have, an `asOf` that is NaN, or slices that do not exist.
    public func checked() throws -> Read {
        try NameCheck.argument.check(query)
        if let asOf { _ = try NameCheck.argument.checked(asOf, "`asOf` time") }
        if let slices, slices.lowerBound < 0 || slices.upperBound >= StreamID.slices {
            throw EventStoreError(
                .invalidArgument, "The slices \(slices) do not exist: they must lie in 0...\(StreamID.slices - 1).")
        }
        var read = self
        read.after = max(.start, after)
        read.upTo = upTo.map { max(.start, $0) }
        read.limit = max(0, limit)
        read.byteLimit = max(1, byteLimit)
        return read
    }
}

/// One page of events, read in one short transaction: `events`, `through` and `head` are from the same moment.
public struct Page: Hashable, Sendable {
    public var events: [RecordedEvent]
    /// The position up to which `events` is complete from the start of the page. Forward, the next page starts after
    /// it, and it advances past events that do not match; backward, the next page ends before it.
    public var through: Position
    /// The last position of the store.
    public var head: Position
    /// Whether there may be more events within the requested bounds.
    public var hasMore: Bool
    /// The id of the event at `through`, by which a checkpoint identifies it.
    public var throughID: UUID?
    /// A time of the store's clock up to which everything is visible: every event recorded after this page has a later
    /// time. `nil` if the store is empty, unless ``Read/settles`` was set.
    ///
    /// It is set under the append lock, so it holds even if a clock is wrong or was set back.
    public var settled: Date?
    /// Why events could not be upcast, by position.
    package var failures: [Position: String] = [:]

    public init(
        events: [RecordedEvent], through: Position, head: Position, hasMore: Bool, throughID: UUID?,
        settled: Date? = nil
    ) {
        self.events = events
        self.through = through
        self.head = head
        self.hasMore = hasMore
        self.throughID = throughID
        self.settled = settled
    }
}
