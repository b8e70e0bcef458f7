import Foundation

/// A store with upcasters applied: events are read in their current shapes, and queries and conditions for a type also
/// find the events converted to it.
struct UpcastingEventStore: EventStore {
    let base: any EventStore
    let upcasters: Upcasters

    var abilities: StoreAbilities {
        var abilities = base.abilities
        abilities.catalog = abilities.catalog.map { UpcastingCatalog(base: $0, upcasters: upcasters) }
        return abilities
    }

    var context: StoreContext { base.context }

    @concurrent func append(_ append: Append) async throws -> Appended {
        try append.check()
        var wide = append
        if let condition = append.condition { wide.condition?.query = upcasters.widened(condition.query) }
        do {
            while true {
                do {
                    return try await base.append(wide)
                } catch let failed as ConditionFailed {
                    // The matching event may have been converted to one that the query does not select: then continue
                    // after it.
                    guard let condition = append.condition, let after = wide.condition?.after,
                        wide.condition?.query != condition.query,
                        let through = try await unmatched(condition.query, after: after, through: failed.position)
                    else { throw failed }
                    wide.condition?.after = through
                }
            }
        } catch let unknown as OutcomeUnknown {
            throw OutcomeUnknown(append: append, underlying: unknown.underlying)
        } catch let conflict as VersionConflict {
            throw VersionConflict(
                streams: try conflict.streams.map { stream in
                    .init(
                        stream: stream.stream, expected: stream.expected, actual: stream.actual,
                        unseen: try stream.unseen.flatMap(upcasters.upcast), complete: stream.complete)
                })
        }
    }

    /// The position, at least `position`, up to which no event recorded after `after` matches; `nil` if one does.
    private func unmatched(
        _ query: EventQuery, after: Position, through position: Position
    ) async throws -> Position? {
        var after = after
        while after < position {
            let page = try await page(Read(query, after: after, limit: 100))
            if !page.events.isEmpty { return nil }
            after = page.through
        }
        return after
    }

    @concurrent func page(_ read: Read) async throws -> Page {
        let read = try read.checked()
        var wide = read
        wide.query = upcasters.widened(read.query)
        var page = try await base.page(wide)
        var failures: [Position: String] = [:]
        page.events = try page.events.flatMap { event -> [RecordedEvent] in
            let seen: [RecordedEvent]
            do {
                seen = try upcasters.upcast(event)
            } catch  where read.showsFailures {
                failures[event.position] = "\(error)"
                return [event]
            }
            if seen.isEmpty, read.showsDropped { return [event.seen(as: .init(RecordedEvent.dropped, .null))] }
            let shown = seen.filter(read.query.matches)
            return read.direction == .forward ? shown.resumable : shown.reversed()
        }
        page.failures = failures
        return page
    }

    func wait(beyond position: Position) async throws { try await base.wait(beyond: position) }
    func identity() async throws -> StoreIdentity { try await base.identity() }
    func close() async { await base.close() }
}

extension [RecordedEvent] {
    /// The parts of one event, of which all but the last have the position before it.
    fileprivate var resumable: [RecordedEvent] {
        if count < 2 { return self }
        return dropLast().map { $0.at(Position(rawValue: $0.position.rawValue - 1)) } + suffix(1)
    }
}

private struct UpcastingCatalog: StreamCatalog {
    let base: any StreamCatalog
    let upcasters: Upcasters

    func streams(category: String?, prefix: String?, after: StreamID?, limit: Int) async throws -> [StreamInfo] {
        try await base.streams(category: category, prefix: prefix, after: after, limit: limit)
    }

    /// Returns the event as recorded if it has become several or none.
    func event(_ id: UUID) async throws -> RecordedEvent? {
        guard let event = try await base.event(id) else { return nil }
        let seen = try upcasters.upcast(event)
        return seen.count == 1 ? seen[0] : event
    }
}
