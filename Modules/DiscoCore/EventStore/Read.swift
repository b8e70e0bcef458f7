public import Foundation

/// What one page of reading asks for.
public struct Read: Hashable, Sendable {
    public enum Direction: Hashable, Sendable { case forward, backward }

    public var query: EventQuery
    public var direction: Direction
    /// Only events beyond this position.
    public var after: Position
    /// Only events at or below this position.
    public var upTo: Position?
    /// Only events with these versions, lowest and highest included. For reading one stream.
    public var versions: ClosedRange<Int>?
    /// Only events recorded at this time or before: the store as it was then.
    public var asOf: Date?
    /// The most events of the page.
    public var limit: Int
    /// A page is cut off, after at least one event, when its payloads exceed this many bytes.
    public var byteLimit: Int
    /// Only events whose stream's ``StreamID/slice`` lies in this range.
    public var slices: ClosedRange<Int>?
    /// Whether the page's ``Page/settled`` is brought up to the present, for which the store takes the lock of its appends
    /// and writes something. For those who wait for a time to pass, once a second or so; not for readers.
    public var settles = false
    /// Whether an event that an upcaster drops comes as ``RecordedEvent/dropped``: whoever folds a stream must know its
    /// version.
    var showsDropped = false
    /// Whether an event whose upcaster fails comes as it was recorded, its position among ``Page/failures``, and does not
    /// end the read.
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
    /// The same within the bounds that positions and versions have. Every store calls this before it reads.
    ///
    /// - Throws: ``EventStoreError`` with code ``EventStoreError/Code/invalidArgument`` for a name that no event can
    ///   have, an `asOf` that is no number, or slices that do not exist.
    public func checked() throws -> Read {
        try NameCheck.argument.check(query)
        if let asOf { _ = try NameCheck.argument.checked(asOf, "time as of which was to be read") }
        if let slices, slices.lowerBound < 0 || slices.upperBound >= StreamID.slices {
            throw EventStoreError(
                .invalidArgument, "The slices \(slices) were asked for; they must lie in 0...\(StreamID.slices - 1).")
        }
        var read = self
        read.after = max(.start, after)
        read.upTo = upTo.map { max(.start, $0) }
        read.limit = max(0, limit)
        read.byteLimit = max(1, byteLimit)
        return read
    }
}

/// One page, read in one short transaction: `events`, `through` and `head` are of one moment.
public struct Page: Hashable, Sendable {
    public var events: [RecordedEvent]
    /// Everything that was asked for between where the page began and this position is in `events`. Forward, the next
    /// page begins after it, and it moves past what does not match; backward, the next page ends before it.
    public var through: Position
    /// The last position of the store.
    public var head: Position
    /// Whether there may be more within the bounds that were asked for.
    public var hasMore: Bool
    /// The id of the event at `through`: what a checkpoint remembers it by.
    public var throughID: UUID?
    /// A time of the store's clock up to which everything is visible: whatever is recorded later than this page is recorded
    /// at a later time than this. Nil where the store is empty, unless ``Read/settles`` was asked for.
    ///
    /// It is set under the lock of the appends, so no clock that is wrong or was set back can make it untrue.
    public var settled: Date?
    /// Why an event could not be upcast, by its position.
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
