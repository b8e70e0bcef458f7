import DiscoCore
import Foundation
import Logging

/// Advances one consumer step by step: the thin shell around ``ConsumerTail``, ``StepPlan`` and ``ConsumerRunner``.
struct ConsumerLoop: Sendable {
    static let pageSize = 500
    /// With this many held events, the consumer stops reading new ones.
    static let mostHeld = 10_000
    /// After how many seconds the held events of a deleted stream are checked again.
    private static let hiddenFor = 5.0

    let consumer: EventConsumer
    let store: any EventStore

    var context: StoreContext { store.context }
    var partition: ConsumerPartition { ConsumerPartition(consumer.name) }

    /// What a run remembers of its consumer between two steps.
    struct Memory {
        /// `nil` if it must be read from the store.
        var tail: ConsumerTail?
        var plan = StepPlan()
        /// The changes that others have made since `tail` was read.
        var changes: ConsumerChanges.Iterator?
        /// Deleted streams with held events, and when they are checked again.
        var hidden: [StreamID: Date] = [:]
        var overflow: TroubleLog

        init(_ consumer: String, _ logger: Logger?) { overflow = TroubleLog("The consumer \(consumer)", logger) }

        /// Discards what is remembered, so that it is read from the store again.
        mutating func forget() {
            tail = nil
            plan = StepPlan()
        }
    }

    func newMemory() -> Memory { Memory(consumer.name, context.logger) }

    struct Step {
        /// What to do next.
        enum Next { case more, newEvents, retries }

        var position: Position
        var next: Next
        var nextRetry: Date?
    }

    /// Processes due events and one page of new ones.
    ///
    /// - Parameter saving: saves what a policy has done, which must not be repeated because saving failed.
    func step(
        _ memory: inout Memory, saving: (() async throws -> Void) async throws -> Void = { try await $0() }
    ) async throws -> Step {
        do {
            switch try await recalled(&memory) {
            case .tail(let tail): return try await step(tail, &memory, saving)
            case .notYet(let head): return Step(position: head, next: .newEvents)
            }
        } catch let error as EventStoreError where error.code == .checkpointMoved {
            // Another process took this step; its checkpoint counts.
            memory.forget()
            return Step(position: .start, next: .more)
        } catch {
            // The plan was not stored: it is made again.
            memory.forget()
            throw error
        }
    }

    private enum Recalled {
        case tail(ConsumerTail)
        /// Its start time has not come with the events up to this position.
        case notYet(Position)
    }

    /// The consumer's state: as remembered, or else as stored.
    private func recalled(_ memory: inout Memory) async throws -> Recalled {
        if let tail = memory.tail { return .tail(tail) }
        var changes = consumer.checkpoints.changes().makeAsyncIterator()
        // Returns at once, and before anything is read, so that changes from now on are noticed.
        try await changes.next()
        memory.changes = changes
        var checkpoint = try await consumer.checkpoints.checkpoint(of: consumer.name)
        if checkpoint == .start, case .time = consumer.start {
            switch try await begin() {
            case .at(let begun): checkpoint = begun
            case .notYet(let head): return .notYet(head)
            }
        }
        memory.plan = StepPlan(held: try await consumer.checkpoints.held(by: partition))
        let tail = ConsumerTail(checkpoint)
        memory.tail = tail
        return .tail(tail)
    }

    private func step(
        _ tail: ConsumerTail, _ memory: inout Memory, _ saving: (() async throws -> Void) async throws -> Void
    ) async throws -> Step {
        let now = context.now()
        postponeHidden(&memory, now)
        var to = tail.reached
        var news = News()
        var next = Step.Next.retries
        // Events of deleted streams wait for a person, and must not keep everything else waiting.
        let waiting = memory.plan.count(without: memory.hidden.keys)
        if waiting < Self.mostHeld {
            memory.overflow.ends("reads new events again")
            let page = try await store.page(read(after: to.position, limit: Self.pageSize))
            news = News(page)
            next = page.hasMore || page.through < page.head ? .more : .newEvents
            if page.through > to.position {
                to = Checkpoint(position: page.through, eventID: page.throughID, store: try await store.identity())
            }
        } else {
            memory.overflow.begins("reads no new events until held events are done", TooManyHeld(waiting))
        }
        let (due, leavesSome) = try await due(&memory, now)
        if leavesSome { next = .more }
        if news.events.isEmpty, due.isEmpty {
            memory.tail?.passed(to: to, at: context.uptime())
            if memory.tail?.savesIn(at: context.uptime()) == .zero { try await flush(&memory) }
            return Step(position: to.position, next: next, nextRetry: memory.plan.nextRetry)
        }
        switch consumer.work {
        case .projection(let projection, let readModels):
            try await project(projection, readModels, due, news, tail.saved, to, &memory.plan)
        case .policy(let policy, let checkpoints):
            // From `reached`, not `saved`: the events in between do not concern the policy.
            to = await react(policy, due, news, tail.reached, to, &memory.plan)
            let step = step(tail.saved, to, memory.plan)
            try await saving { try await checkpoints.save(step) }
        }
        memory.plan.stored()
        memory.tail?.stored(to)
        return Step(position: to.position, next: next, nextRetry: memory.plan.nextRetry)
    }

    /// Stores how far the consumer has read.
    func flush(_ memory: inout Memory) async throws {
        guard let tail = memory.tail, tail.isUnsaved else { return }
        do {
            try await consumer.checkpoints.save(
                ConsumerStep(partition: partition, from: tail.saved, to: tail.reached))
            memory.tail?.stored(tail.reached)
        } catch let error as EventStoreError where error.code == .checkpointMoved {
            memory.forget()
        }
    }

    /// The events of one page, including those that could not be upcast.
    struct News {
        var events: [Recorded] = []
        var failures: [Position: String] = [:]

        init() {}

        init(_ page: Page) {
            events = Recorded.grouped(page.events)
            failures = page.failures
        }
    }

    func step(_ from: Checkpoint, _ to: Checkpoint, _ plan: StepPlan) -> ConsumerStep {
        ConsumerStep(partition: partition, from: from, to: to, hold: plan.hold, release: plan.release)
    }

    func read(after: Position, upTo: Position? = nil, limit: Int) -> Read {
        var read = Read(consumer.query, after: after, upTo: upTo, limit: limit)
        read.showsFailures = true
        return read
    }

    // MARK: Held events

    struct Due {
        let held: HeldEvent
        /// `nil` if it is gone: it was erased, or the query does not select it.
        let event: Recorded?
        /// Why it cannot be upcast.
        let failure: String?
    }

    private func postponeHidden(_ memory: inout Memory, _ now: Date) {
        let plan = memory.plan
        memory.hidden = memory.hidden.filter { $0.value > now && plan.holds($0.key) }
        for (stream, until) in memory.hidden { memory.plan.postpone(stream, until: until) }
    }

    /// The due events, by stream; the events of deleted streams keep waiting. Also whether checking those has left
    /// other due events for the next step.
    private func due(_ memory: inout Memory, _ now: Date) async throws -> (due: [[Due]], leavesSome: Bool) {
        var result: [[Due]] = []
        var hidesSome = false
        // At most a page of them in one step; the rest of a stream comes with the next.
        var room = Self.pageSize
        for stream in memory.plan.due(at: now) where room > 0 {
            var events: [Due] = []
            for held in stream.prefix(room) {
                let before = Position(rawValue: held.position.rawValue - 1)
                let news = News(try await store.page(read(after: before, upTo: held.position, limit: 1)))
                if news.events.isEmpty, try await store.abilities.deletion?.isDeleted(held.stream) == true {
                    let later = now.addingTimeInterval(Self.hiddenFor)
                    hidesSome = true
                    memory.hidden[held.stream] = later
                    memory.plan.postpone(held.stream, until: later)
                    break
                }
                events.append(Due(held: held, event: news.events.first, failure: news.failures[held.position]))
            }
            room -= max(1, events.count)
            if !events.isEmpty { result.append(events) }
        }
        return (result, hidesSome && room <= 0)
    }
}

/// A consumer holds too many events.
private struct TooManyHeld: Error, CustomStringConvertible {
    let description: String

    init(_ count: Int) { description = "\(count) events are held" }
}
