import DiscoCore
import Foundation
import Logging

/// Takes one consumer forward, step by step.
struct ConsumerLoop: Sendable {
    static let pageSize = 500
    /// With so many events waiting the consumer stops reading new ones.
    static let mostHeld = 10_000
    /// When the held events of a deleted stream are looked at again.
    private static let hiddenFor = 5.0

    let consumer: EventConsumer
    let store: any EventStore
    let logger: Logger
    private let overflow: Locked<TroubleLog>
    /// Deleted streams that events are held of, and when they are looked at again.
    private let hidden = Locked<[StreamID: Date]>([:])

    init(consumer: EventConsumer, store: any EventStore, logger: Logger) {
        self.consumer = consumer
        self.store = store
        self.logger = logger
        overflow = Locked(TroubleLog("The consumer \(consumer.name)", logger))
    }

    struct Step {
        /// What there is to do next.
        enum Next { case more, newEvents, retries }

        var position: Position
        var next: Next
        var nextRetry: Date?
    }

    /// Makes the read model's tables, begins where a new consumer is to begin, and checks that the checkpoint lies in
    /// this store's history.
    func prepare() async throws {
        if case .projection(let projection, let readModels) = consumer.work {
            try await readModels.setUp { transaction in try projection.setUp(transaction) }
        }
        let checkpoint = try await consumer.checkpoints.checkpoint(of: consumer.name)
        if checkpoint == .start {
            _ = try await begin()
            return
        }
        let page = try await store.page(Read(after: checkpoint.position, limit: 0))
        let identity = try await store.identity()
        let sameStore = checkpoint.store == nil || checkpoint.store == identity
        guard sameStore, page.head >= checkpoint.position, page.throughID == checkpoint.eventID else {
            throw CheckpointDiverged(consumer: consumer.name, checkpoint: checkpoint.position, head: page.head)
        }
    }

    /// Where a consumer is that has no checkpoint yet; where it waits for its time, the position behind which that may
    /// come.
    private func begin() async throws -> ConsumerStart.Place {
        let place = try await consumer.start.place(in: store)
        guard case .at(let checkpoint) = place, checkpoint != .start else { return place }
        do {
            try await consumer.checkpoints.save(
                ConsumerStep(consumer: consumer.name, from: .start, to: checkpoint))
            return place
        } catch let error as EventStoreError where error.code == .checkpointMoved {
            // Another process began at the same time; its checkpoint counts.
            return .at(try await consumer.checkpoints.checkpoint(of: consumer.name))
        }
    }

    /// Processes what is due and one page of what is new.
    ///
    /// - Parameter saving: saves what a policy has done, which must not be done again for want of saving it.
    func step(saving: (() async throws -> Void) async throws -> Void = { try await $0() }) async throws -> Step {
        var checkpoint = try await consumer.checkpoints.checkpoint(of: consumer.name)
        if checkpoint == .start, case .time = consumer.start {
            switch try await begin() {
            case .at(let begun): checkpoint = begun
            case .notYet(let head): return Step(position: head, next: .newEvents)
            }
        }
        let held = try await consumer.checkpoints.held(by: consumer.name)
        var batch = Batch(held: held)
        let now = Date()
        let hiddenNow = hidden.withLock { hidden in
            hidden = hidden.filter { $0.value > now && batch.holds($0.key) }
            return hidden
        }
        for (stream, until) in hiddenNow { batch.postpone(stream, until: until) }
        let before = checkpoint.position
        var to = checkpoint
        var news = News()
        var next = Step.Next.retries
        // Those of deleted streams wait for a person, and must not keep everything else waiting.
        let waiting = held.count { hiddenNow[$0.stream] == nil }
        if waiting < Self.mostHeld {
            overflow.withLock { $0.ends("reads new events again") }
            let page = try await store.page(read(consumer.query, after: before, limit: Self.pageSize))
            news = News(page)
            next = page.hasMore || page.through < page.head ? .more : .newEvents
            to = Checkpoint(position: page.through, eventID: page.throughID, store: try await store.identity())
        } else {
            overflow.withLock {
                $0.begins("reads no new events until some that wait are done", TooManyHeld(waiting))
            }
        }
        let (due, found) = try await recordedEvents(batch.due(at: now))
        let later = now.addingTimeInterval(Self.hiddenFor)
        for stream in found { batch.postpone(stream, until: later) }
        hidden.withLock { hidden in for stream in found { hidden[stream] = later } }
        if news.events.isEmpty, due.isEmpty, to.position == before {
            return Step(position: before, next: next, nextRetry: batch.nextRetry)
        }
        do {
            switch consumer.work {
            case .projection(let projection, let readModels):
                try await project(projection, readModels, due, news, checkpoint, to, &batch)
            case .policy(let policy, let checkpoints):
                to = await react(policy, due, news, checkpoint, to, &batch)
                let progress = progress(checkpoint, to, batch)
                try await saving { try await checkpoints.save(progress) }
            }
        } catch let error as EventStoreError where error.code == .checkpointMoved {
            // Another process took this step; its checkpoint counts.
            return Step(position: before, next: .more, nextRetry: nil)
        }
        return Step(position: to.position, next: next, nextRetry: batch.nextRetry)
    }

    /// The events of one page, with those that could not be upcast.
    struct News {
        var events: [Recorded] = []
        var failures: [Position: String] = [:]

        init() {}

        init(_ page: Page) {
            events = Recorded.grouped(page.events)
            failures = page.failures
        }
    }

    struct Due {
        let held: HeldEvent
        /// Nil where it is not there any more: it was erased, or nobody selects it.
        let event: Recorded?
        /// Why it cannot be upcast.
        let failure: String?
    }

    private func read(_ query: EventQuery, after: Position, upTo: Position? = nil, limit: Int) -> Read {
        var read = Read(query, after: after, upTo: upTo, limit: limit)
        read.showsFailures = true
        return read
    }

    /// What is due, by stream, and the streams that are deleted, whose events go on waiting.
    private func recordedEvents(_ due: [[HeldEvent]]) async throws -> (due: [[Due]], hidden: [StreamID]) {
        var result: [[Due]] = []
        var hidden: [StreamID] = []
        // No more than a page of them in one step; the rest of a stream comes with the next.
        var room = Self.pageSize
        for stream in due where room > 0 {
            var events: [Due] = []
            for held in stream.prefix(room) {
                let before = Position(rawValue: held.position.rawValue - 1)
                let news = News(
                    try await store.page(read(consumer.query, after: before, upTo: held.position, limit: 1)))
                if news.events.isEmpty, try await store.abilities.deletion?.isDeleted(held.stream) == true {
                    hidden.append(held.stream)
                    break
                }
                events.append(Due(held: held, event: news.events.first, failure: news.failures[held.position]))
            }
            room -= max(1, events.count)
            if !events.isEmpty { result.append(events) }
        }
        return (result, hidden)
    }

    func progress(_ from: Checkpoint, _ to: Checkpoint, _ batch: Batch) -> ConsumerStep {
        ConsumerStep(consumer: consumer.name, from: from, to: to, hold: batch.hold, release: batch.release)
    }
}

/// More events wait than a consumer keeps in mind.
private struct TooManyHeld: Error, CustomStringConvertible {
    let description: String

    init(_ count: Int) { description = "\(count) events wait" }
}

/// When something that failed is tried again: after 0.1 s, then twice as long each time, up to a minute, with up to a
/// fifth of jitter so that consumers do not come back in step.
enum Backoff {
    static func date(attempts: Int) -> Date { Date(timeIntervalSinceNow: seconds(attempts: attempts)) }

    static func seconds(attempts: Int) -> Double {
        min(60, 0.1 * Double(1 << min(max(0, attempts), 10))) * Double.random(in: 0.8...1)
    }
}
