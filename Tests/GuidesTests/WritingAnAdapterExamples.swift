import DiscoCore
import DiscoEventStore
import DiscoTesting
import Foundation
import Testing

/// Stands for a database that several processes use: one transaction at a time, and a caller is blocked until it
/// is its turn. It forgets everything in the end.
final class Table: Sendable {
    let identity = StoreIdentity(store: UUID(), epoch: 1)
    let context: StoreContext
    private let lock = NSLock()
    /// Read and written under the lock alone.
    private nonisolated(unsafe) var rows = Rows()

    init(context: StoreContext = .system) { self.context = context }

    func inTransaction<Result>(_ body: (inout Rows) throws -> Result) rethrows -> Result {
        try lock.withLock { try body(&rows) }
    }
}

/// What is in the table: the events by their positions, and the indexes on them.
struct Rows {
    var events: [RecordedEvent] = []
    /// The places in `events`, in their order.
    var indexes: [IndexWalk.Driver: [Int]] = [:]
    /// The places of the append that an event was recorded with.
    var appends: [UUID: Range<Int>] = [:]
    /// By their bytes, as every name in a store.
    var keys: [[UInt8]: (fingerprint: [UInt8], places: Range<Int>)] = [:]

    /// Every event that is recorded from now on is later than this.
    var settled: Date?

    var head: Position { Position(rawValue: Int64(events.count)) }

    func places(_ driver: IndexWalk.Driver) -> [Int] { indexes[driver] ?? [] }

    func appended(_ places: Range<Int>, repeated: Bool = false) -> Appended {
        Appended(
            events: events[places].map { event in
                .init(id: event.id, stream: event.stream, version: event.version, position: event.position)
            }, repeated: repeated)
    }
}

// MARK: Appending

extension Rows {
    mutating func outcome(of append: Append, at time: Date) -> BatchOutcome {
        do {
            if let key = append.key, let repeated = try recorded(under: key) { return .appended(repeated) }
            if let repeated = try recorded(append) { return .appended(repeated) }
            try checkVersions(append)
            try checkCondition(append)
            return .appended(record(append, at: time))
        } catch {
            return .refused(error)
        }
    }

    private func recorded(under key: IdempotencyKey) throws -> Appended? {
        guard let known = keys[Array(key.key.utf8)] else { return nil }
        guard known.fingerprint.elementsEqual(key.fingerprint.utf8) else { throw IdempotencyConflict(key: key.key) }
        return appended(known.places, repeated: true)
    }

    /// The same events, recorded as one append, are a repeat; otherwise their ids were used before.
    private mutating func recorded(_ append: Append) throws -> Appended? {
        guard let known = append.events.first(where: { appends[$0.id] != nil }), let places = appends[known.id] else {
            return nil
        }
        let isSame =
            places.count == append.events.count
            && zip(events[places], append.events).allSatisfy { $0.id == $1.id && $0.stream == $1.stream }
        guard isSame else { throw DuplicateEvent(id: known.id) }
        keep(append.key, places)
        return appended(places, repeated: true)
    }

    private func checkVersions(_ append: Append) throws {
        let refused = append.expect.compactMap { stream, expected -> VersionConflict.Stream? in
            let version = places(.stream(stream)).count
            return expected.allows(version) ? nil : .init(stream: stream, expected: expected, actual: version)
        }
        if !refused.isEmpty { throw VersionConflict(streams: refused.sorted { $0.stream.name < $1.stream.name }) }
    }

    private func checkCondition(_ append: Append) throws {
        guard let condition = append.condition else { return }
        if let match = page(Read(condition.query, after: condition.after, limit: 1)).events.first {
            throw ConditionFailed(position: match.position, id: match.id)
        }
    }

    private mutating func record(_ append: Append, at time: Date) -> Appended {
        let first = events.count
        for event in append.events {
            let place = events.count
            events.append(
                RecordedEvent(
                    position: Position(rawValue: Int64(place) + 1), stream: event.stream,
                    version: places(.stream(event.stream)).count + 1, id: event.id, type: event.type,
                    typeVersion: event.typeVersion, payload: event.payload, metadata: event.metadata, tags: event.tags,
                    // A clock that was set back does not reverse the order of the events.
                    recordedAt: max(time, events.last?.recordedAt ?? time, settled.map { $0 + 0.000_001 } ?? time)))
            let tags = Set(event.tags).map { IndexWalk.Driver.tag($0) }
            for driver in [.stream(event.stream), .type(event.type), .category(event.stream.category)] + tags {
                indexes[driver, default: []].append(place)
            }
        }
        let places = first..<events.count
        for event in append.events { appends[event.id] = places }
        keep(append.key, places)
        return appended(places)
    }

    private mutating func keep(_ key: IdempotencyKey?, _ places: Range<Int>) {
        if let key { keys[Array(key.key.utf8)] = (Array(key.fingerprint.utf8), places) }
    }
}

// MARK: Reading

extension Rows {
    func page(_ read: Read) -> Page {
        var upTo = min(read.upTo ?? head, head)
        if let asOf = read.asOf {
            upTo = min(upTo, events.last { $0.recordedAt <= asOf }?.position ?? .start)
        }
        let found = IndexWalk.walks(of: read.query).flatMap { walk in matches(along: walk, read, upTo) }
        let ordered = Set(found).sorted(by: read.direction == .forward ? { $0 < $1 } : { $0 > $1 })
        var page = PageBounds(read, upTo: upTo).collect(ordered.lazy.map { events[$0] })
        page.head = head
        page.throughID = events.first { $0.position == page.through }?.id
        page.settled = [events.last.map { $0.recordedAt - 0.000_001 }, settled].compactMap(\.self).max()
        return page
    }

    /// The places that a database finds along one index, in order, at most as many as the page has room for.
    private func matches(along walk: IndexWalk, _ read: Read, _ upTo: Position) -> [Int] {
        let index = walk.driver == .all ? Array(events.indices) : places(walk.driver)
        let ordered = read.direction == .forward ? index : index.reversed()
        let matching = ordered.lazy.filter { place in
            guard events[place].position > read.after, events[place].position <= upTo else { return false }
            let event = events[place]
            return read.query.matches(event) && read.versions?.contains(event.version) ?? true
                && read.slices?.contains(event.stream.slice) ?? true
        }
        return Array(matching.prefix(max(0, read.limit)))
    }

    func verify(after position: Position, limit: Int) -> VerifiedPage {
        let first = events.firstIndex { $0.position > position } ?? events.endIndex
        var examination = StoreExamination(
            after: position, recordedAt: events[..<first].last?.recordedAt, head: head)
        for (place, event) in zip(events.indices, events).dropFirst(first).prefix(max(1, limit)) {
            let before = places(.stream(event.stream)).last { $0 < place }
            examination.examine(
                .init(
                    position: event.position, stream: event.stream, version: event.version,
                    versionBefore: before.map { events[$0].version } ?? 0, recordedAt: event.recordedAt,
                    payload: event.payload,
                    isFoundByTags: event.tags.allSatisfy { places(.tag($0)).contains(place) }))
        }
        return examination.page
    }
}

// MARK: The store

struct TableAppender: BatchAppender {
    let table: Table
    let hub: WakeUpHub

    func commit(_ batch: [Append]) throws -> [BatchOutcome] {
        let now = table.context.now()
        let (outcomes, head) = table.inTransaction { rows in
            (batch.map { append in rows.outcome(of: append, at: now) }, rows.head)
        }
        hub.advance(to: head)
        return outcomes.map { outcome in
            guard case .refused(let conflict as VersionConflict) = outcome else { return outcome }
            return .refused(conflict.withUnseen { read in table.inTransaction { $0.page(read).events } })
        }
    }
}

final class TableReaders: Sendable {
    private let worker: Worker<[@Sendable () -> Void]>

    init(threads: Int) {
        worker = Worker(name: "table-read", threads: threads, state: []) { loop in
            while let read = loop.wait({ $0.isEmpty ? nil : $0.removeFirst() }) { read() }
        }
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            let isTaken: Void? = worker.update { reads in
                reads.append { continuation.resume(with: Result { try body() }) }
            }
            if isTaken == nil { continuation.resume(throwing: EventStoreError(.closed, "The store was closed.")) }
        }
    }

    func close() async { await worker.end() }
}

final class TableEventStore: EventStore {
    let table: Table
    private let hub = WakeUpHub()
    private let lane: AppendLane
    private let readers = TableReaders(threads: 2)
    private let watcher: Worker<Void>

    init(_ table: Table) {
        self.table = table
        lane = AppendLane(name: "table-append", appender: TableAppender(table: table, hub: hub))
        watcher = Worker(name: "table-watch") { [hub] loop in
            repeat { hub.advance(to: table.inTransaction { $0.head }) } while loop.pause(for: .milliseconds(20))
        }
    }

    func append(_ append: Append) async throws -> Appended { try await lane.append(append) }

    func page(_ read: Read) async throws -> Page {
        let read = try read.checked()
        let now = context.now()
        return try await readers.run { [table] in
            table.inTransaction { rows in
                if read.settles { rows.settled = max(rows.settled ?? now, now) }
                return rows.page(read)
            }
        }
    }

    func wait(beyond position: Position) async throws { try await hub.wait(beyond: position) }

    func identity() async throws -> StoreIdentity { table.identity }

    var context: StoreContext { table.context }

    var abilities: StoreAbilities { StoreAbilities(verification: self, counting: self) }

    func close() async {
        hub.close()
        await watcher.end()
        await lane.close()
        await readers.close()
    }
}

extension TableEventStore: StoreVerification, EventCounting {
    func verify(after position: Position, limit: Int) async throws -> VerifiedPage {
        try await readers.run { [table] in
            table.inTransaction { $0.verify(after: max(.start, position), limit: limit) }
        }
    }

    func events(after: Position, upTo: Position) async throws -> Int {
        let head = try await readers.run { [table] in table.inTransaction { $0.head } }
        return Self.gaplessCount(after: after, upTo: upTo, head: head)
    }
}

/// The code of the guide "Writing an adapter". It uses only public API, as an adapter in another package must.
@Suite struct WritingAnAdapterExamples {
    @Test(arguments: EventStoreConformance.cases)
    func conforms(to aCase: EventStoreConformance.Case) async throws {
        let suite = EventStoreConformance(
            open: { options in TableEventStore(Table(context: options.context)) },
            second: { store in TableEventStore(try #require(store as? TableEventStore).table) })
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }
}
