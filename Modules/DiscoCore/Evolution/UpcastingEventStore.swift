import Foundation

/// A store seen through upcasters: what is read is in today's shapes, and queries and conditions for a type find what became it.
struct UpcastingEventStore: EventStore {
    let base: any EventStore
    let upcasters: Upcasters

    var abilities: StoreAbilities {
        var abilities = base.abilities
        abilities.catalog = abilities.catalog.map { UpcastingCatalog(base: $0, upcasters: upcasters) }
        return abilities
    }

    func append(_ append: Append) async throws -> Appended {
        var append = append
        if let condition = append.condition { append.condition?.query = upcasters.widened(condition.query) }
        do {
            return try await base.append(append)
        } catch let conflict as VersionConflict {
            throw VersionConflict(
                streams: try conflict.streams.map { stream in
                    .init(
                        stream: stream.stream, expected: stream.expected, actual: stream.actual,
                        unseen: try stream.unseen.flatMap(upcasters.upcast), complete: stream.complete)
                })
        }
    }

    func page(_ read: Read) async throws -> Page {
        var wide = read
        wide.query = upcasters.widened(read.query)
        var page = try await base.page(wide)
        page.events = try page.events.flatMap { event in
            let seen = try upcasters.upcast(event)
            if seen.isEmpty, read.showsDropped { return [event.seen(as: .init(RecordedEvent.dropped, .null))] }
            let shown = seen.filter(read.query.matches)
            return read.direction == .forward ? shown : shown.reversed()
        }
        return page
    }

    func wait(beyond position: Position) async throws { try await base.wait(beyond: position) }
    func identity() async throws -> StoreIdentity { try await base.identity() }
    func close() async { await base.close() }
}

private struct UpcastingCatalog: StreamCatalog {
    let base: any StreamCatalog
    let upcasters: Upcasters

    func streams(category: String?, prefix: String?, after: StreamID?, limit: Int) async throws -> [StreamInfo] {
        try await base.streams(category: category, prefix: prefix, after: after, limit: limit)
    }

    /// As it is recorded, where it has become several or none.
    func event(_ id: UUID) async throws -> RecordedEvent? {
        guard let event = try await base.event(id) else { return nil }
        let seen = try upcasters.upcast(event)
        return seen.count == 1 ? seen[0] : event
    }
}
