import DiscoCore
import Foundation

/// The contents of an in-memory store, as a value: every promise about appends and pages in its simplest form.
struct EventLog: Sendable {
    struct Stream: Sendable {
        var places: [Int] = []
        var isHidden = false
        var isClosed = false
        /// The last version that was erased.
        var erased = 0

        func shows(_ version: Int) -> Bool { !isHidden && version > erased }
        /// The version as readers see it; 0 if none of its events can be read.
        var version: Int { shows(places.count) ? places.count : 0 }
    }

    private var events: [RecordedEvent] = []
    /// For each event, the first position of the append that recorded it.
    private var appendOf: [Int64] = []
    private var byID: [UUID: Int] = [:]
    private var streams: [StreamID: Stream] = [:]
    /// Whether anything was ever deleted or erased, so that events must be checked one by one.
    private var concealsSome = false
    private var keys: [ExactText: (fingerprint: ExactText, events: Range<Int>, storedAt: Date)] = [:]

    var head: Position { Position(rawValue: Int64(events.count)) }
    /// Everything recorded from now on is later than this time, in microseconds since 1970.
    private var settledAt: Int64?

    /// The earliest time at which an event or key may be recorded.
    private var earliest: Int64 {
        max(events.last.map { Timestamp.microseconds(of: $0.recordedAt) } ?? 0, settledAt.map { $0 + 1 } ?? 0)
    }

    mutating func settle(_ context: StoreContext) {
        let now = Timestamp.microseconds(of: context.now())
        settledAt = max(settledAt ?? now, now)
    }

    private var settled: Date? {
        let times = [events.last.map { Timestamp.microseconds(of: $0.recordedAt) - 1 }, settledAt].compactMap(\.self)
        return times.max().map(Timestamp.date(microseconds:))
    }

    mutating func append(_ append: Append, context: StoreContext) throws -> Appended {
        if let key = append.key, let repeated = try recorded(under: key) { return repeated }
        if let repeated = try recorded(append) {
            if let key = append.key, let first = append.events.first, let place = byID[first.id] {
                keep(key, place..<place + append.events.count, context)
            }
            return repeated
        }
        try checkDeletions(append)
        try checkVersions(append)
        if let condition = append.condition,
            let match = events[Int(condition.after.rawValue).clamped(to: 0...events.count)...]
                .first(where: { condition.query.matches($0) && shows($0) })
        {
            throw ConditionFailed(position: match.position, id: match.id)
        }
        let start = events.count
        let now = context.microseconds(notBefore: earliest)
        for event in append.events {
            let place = events.count
            events.append(
                RecordedEvent(
                    position: Position(rawValue: Int64(place) + 1), stream: event.stream,
                    version: (streams[event.stream]?.places.count ?? 0) + 1, id: event.id, type: event.type,
                    typeVersion: event.typeVersion, payload: event.payload, metadata: event.metadata, tags: event.tags,
                    recordedAt: Timestamp.date(microseconds: now)))
            appendOf.append(Int64(start) + 1)
            byID[event.id] = place
            streams[event.stream, default: Stream()].places.append(place)
        }
        if let key = append.key { keep(key, start..<events.count, context) }
        return Appended(events: (start..<events.count).map(appended))
    }

    private mutating func keep(_ key: IdempotencyKey, _ places: Range<Int>, _ context: StoreContext) {
        let now = context.microseconds(notBefore: earliest)
        keys[ExactText(key.key)] = (ExactText(key.fingerprint), places, Timestamp.date(microseconds: now))
    }

    func recorded(under key: IdempotencyKey) throws -> Appended? {
        guard let known = keys[ExactText(key.key)] else { return nil }
        guard known.fingerprint == ExactText(key.fingerprint) else { throw IdempotencyConflict(key: key.key) }
        return Appended(events: known.events.map(appended), repeated: true)
    }

    mutating func forgetKeys(storedBefore date: Date, ofPolicies: Bool) -> Int {
        let before = keys.count
        keys = keys.filter { key, value in
            value.storedAt >= date || !ofPolicies && key.text.utf8.first == UInt8(ascii: "$")
        }
        return before - keys.count
    }

    /// The original result, if exactly these events were recorded as one append.
    private func recorded(_ append: Append) throws -> Appended? {
        guard let known = append.events.first(where: { byID[$0.id] != nil }) else { return nil }
        guard let first = append.events.first, let start = byID[first.id], appendOf[start] == Int64(start) + 1 else {
            throw DuplicateEvent(id: known.id)
        }
        let end = start + append.events.count
        let same =
            end <= events.count
            && zip(append.events, events[start..<end]).allSatisfy { $0.id == $1.id && $0.stream == $1.stream }
            && appendOf[end - 1] == Int64(start) + 1 && (end == events.count || appendOf[end] != Int64(start) + 1)
        guard same else { throw DuplicateEvent(id: known.id) }
        return Appended(events: (start..<end).map(appended), repeated: true)
    }

    private func checkDeletions(_ append: Append) throws {
        guard concealsSome else { return }
        let touched = append.events.map(\.stream) + append.expect.keys.sorted { $0.name < $1.name }
        if let deleted = touched.first(where: { streams[$0]?.isHidden == true || streams[$0]?.isClosed == true }) {
            throw StreamDeleted(stream: deleted)
        }
    }

    private func checkVersions(_ append: Append) throws {
        let refused = append.expect.compactMap { id, expected -> VersionConflict.Stream? in
            let stream = streams[id] ?? Stream()
            guard !expected.allows(stream.version) else { return nil }
            guard case .exactly(let version) = expected, max(0, version) < stream.version else {
                return .init(stream: id, expected: expected, actual: stream.version)
            }
            let seen = max(0, version)
            let unseen = stream.places.dropFirst(max(seen, stream.erased)).map { events[$0] }.boundedAsUnseen()
            return .init(
                stream: id, expected: expected, actual: stream.version, unseen: unseen,
                complete: (seen == 0 || stream.shows(seen)) && seen + unseen.count == stream.version)
        }
        if !refused.isEmpty { throw VersionConflict(streams: refused.sorted { $0.stream.name < $1.stream.name }) }
    }

    private func appended(_ place: Int) -> Appended.Event {
        let event = events[place]
        return .init(id: event.id, stream: event.stream, version: event.version, position: event.position)
    }

    /// - Parameter read: a read whose positions are within bounds.
    func page(_ read: Read) -> Page {
        let upTo = min(read.upTo ?? head, read.asOf.map(lastPosition(asOf:)) ?? head, head)
        let bounds = PageBounds(read, upTo: upTo)
        var page = bounds.collect(candidates(read, upTo))
        page.head = head
        page.settled = settled
        page.throughID =
            events.indices.contains(Int(page.through.rawValue) - 1) ? events[Int(page.through.rawValue) - 1].id : nil
        return page
    }

    /// The events that `read` selects within the bounds, in its direction, found lazily.
    private func candidates(_ read: Read, _ upTo: Position) -> AnySequence<RecordedEvent> {
        let places: AnyBidirectionalCollection<Int>
        if read.query.items.count == 1, let stream = read.query.items[0].stream {
            places = AnyBidirectionalCollection(streams[stream]?.places ?? [])
        } else {
            let lowest = Int(read.after.rawValue).clamped(to: 0...events.count)
            places = AnyBidirectionalCollection(lowest..<max(lowest, Int(upTo.rawValue)))
        }
        let ordered = read.direction == .forward ? AnySequence(places) : AnySequence(places.reversed())
        return AnySequence(
            ordered.lazy.map { events[$0] }.filter { event in
                event.position > read.after && event.position <= upTo && read.query.matches(event)
                    && (read.versions?.contains(event.version) ?? true)
                    && (read.slices?.contains(event.stream.slice) ?? true) && shows(event)
            })
    }

    private func lastPosition(asOf date: Date) -> Position {
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].recordedAt <= date { low = middle + 1 } else { high = middle }
        }
        return Position(rawValue: Int64(low))
    }

    private func shows(_ event: RecordedEvent) -> Bool {
        !concealsSome || streams[event.stream]?.shows(event.version) != false
    }

    func streams(category: String?, prefix: String?, after: StreamID?, limit: Int) -> [StreamInfo] {
        streams.lazy.filter { id, stream in
            stream.version > 0 && (category.map { ExactText.areEqual($0, id.category) } ?? true)
                && (prefix.map { id.name.utf8.starts(with: $0.utf8) } ?? true)
                && (after.map { StreamInfo.precedes($0.name, id.name) } ?? true)
        }
        .map { StreamInfo(stream: $0.key, version: $0.value.version) }
        .sorted { StreamInfo.precedes($0.stream.name, $1.stream.name) }
        .prefix(max(0, limit)).map(\.self)
    }

    func event(_ id: UUID) -> RecordedEvent? { byID[id].map { events[$0] }.flatMap { shows($0) ? $0 : nil } }

    func isHidden(_ stream: StreamID) -> Bool { streams[stream]?.isHidden == true }

    /// Whether the event exists and was not erased.
    func isReadable(_ stream: StreamID, _ version: Int) -> Bool {
        streams[stream].map { version > $0.erased && version <= $0.places.count } ?? false
    }

    /// Changes whether a stream can be read and appended to.
    mutating func change(_ id: StreamID, _ body: (inout Stream) throws -> Void) throws {
        guard var stream = streams[id] else { throw EventStoreError.unknownStream(id) }
        try body(&stream)
        concealsSome = true
        streams[id] = stream
    }

    mutating func erase(_ id: StreamID, close: Bool) throws {
        try change(id) { stream in
            stream.erased = stream.places.count
            stream.isHidden = false
            stream.isClosed = stream.isClosed || close
        }
        for place in streams[id]?.places ?? [] {
            let event = events[place]
            events[place] = RecordedEvent(
                position: event.position, stream: id, version: event.version, id: event.id, type: event.type,
                typeVersion: event.typeVersion, payload: "null", recordedAt: event.recordedAt)
        }
    }

    func verify(after position: Position, limit: Int) -> VerifiedPage {
        let range = Int(position.rawValue).clamped(to: 0...events.count)..<events.count
        var examination = StoreExamination(
            after: position, recordedAt: events[..<range.lowerBound].last?.recordedAt, head: head)
        for event in events[range].prefix(max(1, limit)) {
            examination.examine(
                .init(
                    position: event.position, stream: event.stream, version: event.version,
                    versionBefore: event.version - 1, recordedAt: event.recordedAt, payload: event.payload))
        }
        return examination.page
    }
}

extension StreamInfo {
    /// Compares by bytes, as databases order text, not by Unicode's rules.
    fileprivate static func precedes(_ one: String, _ other: String) -> Bool {
        one.utf8.lexicographicallyPrecedes(other.utf8)
    }
}

extension Comparable {
    fileprivate func clamped(to range: ClosedRange<Self>) -> Self { min(max(self, range.lowerBound), range.upperBound) }
}
