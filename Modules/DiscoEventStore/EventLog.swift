import DiscoCore
import Foundation

/// What an in-memory store knows, as a value: every promise about appends and pages in its plainest form.
struct EventLog: Sendable {
    private var events: [RecordedEvent] = []
    /// The first position of the append that each event came with.
    private var appendOf: [Int64] = []
    private var byID: [UUID: Int] = [:]
    private var byStream: [StreamID: [Int]] = [:]
    private var keys: [String: (fingerprint: String, events: Range<Int>)] = [:]

    var head: Position { Position(rawValue: Int64(events.count)) }

    mutating func append(_ append: Append, clock: StoreClock) throws -> Appended {
        if let key = append.key, let known = keys[key.key] {
            guard known.fingerprint == key.fingerprint else { throw IdempotencyConflict(key: key.key) }
            return Appended(events: known.events.map(appended), repeated: true)
        }
        if let repeated = try recorded(append) { return repeated }
        try checkVersions(append)
        if let condition = append.condition,
            let match = events[Int(condition.after.rawValue).clamped(to: 0...events.count)...]
                .first(where: condition.query.matches)
        {
            throw ConditionFailed(position: match.position, id: match.id)
        }
        let start = events.count
        let now = clock.microseconds(notBefore: events.last.map { Timestamp.microseconds(of: $0.recordedAt) } ?? 0)
        for event in append.events {
            let place = events.count
            events.append(
                RecordedEvent(
                    position: Position(rawValue: Int64(place) + 1), stream: event.stream,
                    version: (byStream[event.stream]?.count ?? 0) + 1, id: event.id, type: event.type,
                    typeVersion: event.typeVersion, payload: event.payload, metadata: event.metadata, tags: event.tags,
                    recordedAt: Timestamp.date(microseconds: now)))
            appendOf.append(Int64(start) + 1)
            byID[event.id] = place
            byStream[event.stream, default: []].append(place)
        }
        if let key = append.key { keys[key.key] = (key.fingerprint, start..<events.count) }
        return Appended(events: (start..<events.count).map(appended))
    }

    /// The first result, where exactly these events were recorded as one append.
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

    private func checkVersions(_ append: Append) throws {
        let refused = append.expect.compactMap { stream, expected -> VersionConflict.Stream? in
            let places = byStream[stream] ?? []
            guard !expected.allows(places.count) else { return nil }
            var unseen: [RecordedEvent] = []
            if case .exactly(let version) = expected, version < places.count {
                unseen = places.dropFirst(max(0, version)).map { events[$0] }.boundedAsUnseen()
                return .init(
                    stream: stream, expected: expected, actual: places.count, unseen: unseen,
                    complete: max(0, version) + unseen.count == places.count)
            }
            return .init(stream: stream, expected: expected, actual: places.count)
        }
        if !refused.isEmpty { throw VersionConflict(streams: refused.sorted { $0.stream.name < $1.stream.name }) }
    }

    private func appended(_ place: Int) -> Appended.Event {
        let event = events[place]
        return .init(id: event.id, stream: event.stream, version: event.version, position: event.position)
    }

    func page(_ read: Read) -> Page {
        let upTo = min(read.upTo ?? head, read.asOf.map(lastPosition(asOf:)) ?? head, head)
        let bounds = PageBounds(read, upTo: upTo)
        var page = bounds.collect(candidates(read, upTo))
        page.head = head
        page.throughID =
            events.indices.contains(Int(page.through.rawValue) - 1) ? events[Int(page.through.rawValue) - 1].id : nil
        return page
    }

    /// The events within the bounds that `read` selects, in its direction, looked for only as they are asked for.
    private func candidates(_ read: Read, _ upTo: Position) -> AnySequence<RecordedEvent> {
        let places: AnyBidirectionalCollection<Int>
        if read.query.items.count == 1, let stream = read.query.items[0].stream {
            places = AnyBidirectionalCollection(byStream[stream] ?? [])
        } else {
            let lowest = Int(read.after.rawValue).clamped(to: 0...events.count)
            places = AnyBidirectionalCollection(lowest..<max(lowest, Int(upTo.rawValue)))
        }
        let ordered = read.direction == .forward ? AnySequence(places) : AnySequence(places.reversed())
        return AnySequence(
            ordered.lazy.map { events[$0] }.filter { event in
                event.position > read.after && event.position <= upTo && read.query.matches(event)
                    && (read.versions?.contains(event.version) ?? true)
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

    func streams(category: String?, prefix: String?, after: StreamID?, limit: Int) -> [StreamInfo] {
        byStream.keys
            .filter { stream in
                (category == nil || stream.category == category) && (prefix.map(stream.name.hasPrefix) ?? true)
                    && (after.map { StreamInfo.precedes($0.name, stream.name) } ?? true)
            }
            .sorted { StreamInfo.precedes($0.name, $1.name) }
            .prefix(limit)
            .map { StreamInfo(stream: $0, version: byStream[$0]?.count ?? 0) }
    }

    func event(_ id: UUID) -> RecordedEvent? { byID[id].map { events[$0] } }
}

extension StreamInfo {
    /// By bytes, as databases order text, and not by Unicode's rules.
    fileprivate static func precedes(_ one: String, _ other: String) -> Bool {
        one.utf8.lexicographicallyPrecedes(other.utf8)
    }
}

extension Comparable {
    fileprivate func clamped(to range: ClosedRange<Self>) -> Self { min(max(self, range.lowerBound), range.upperBound) }
}
