import DiscoCore
import Foundation
import Logging

/// Advances one partition of a consumer step by step: the thin shell around ``ConsumerTail``, ``StepPlan`` and
/// ``ConsumerRunner``.
struct ConsumerLoop: Sendable {
    static let pageSize = 500
    /// With this many held streams, the partition stops reading new events.
    static let mostHeld = 10_000
    /// After how many seconds the held events of a deleted stream are checked again.
    private static let hiddenFor = 5.0
    /// After so many crashes in a row with the same event in hand, the event has failed.
    private static let mostCrashes = 3

    let consumer: EventConsumer
    let store: any EventStore
    let tail: SharedTail
    let partition: ConsumerPartition
    /// The claim under which it works.
    let lease: PartitionLease
    let membership: Membership
    let settings: Consumers.Settings
    let signal: LoopSignal

    var context: StoreContext { store.context }
    var build: String { settings.build }
    var failures: FailurePolicy { consumer.failures }
    /// Whether to end with the event in hand.
    var isEnding: Bool { Shutdown.isAsked || signal.isStopping }

    /// The partition is no longer this member's.
    struct LeaseLost: Error {}

    /// What a run remembers of its partition between two steps.
    struct Memory {
        /// `nil` if it must be read from the store.
        var tail: ConsumerTail?
        var plan = StepPlan()
        /// The lease with its current fence.
        var lease: PartitionLease
        /// Whether queries see what it writes: only then is it what somebody waits for.
        var isLive = true
        /// The position at which to stop.
        var runTo: Position?
        /// Deleted streams with held events, and when they are checked again.
        var hidden: [StreamID: Date] = [:]
        var alike = AlikeFailures()
        /// Whether failures that are alike pause the consumer.
        var pauses = true
        var probeAt: Date?
        /// How many events are still processed one at a time, because of crashes; `nil` before the first step.
        var cautiousFor: Int?
        /// Whether it has read everything, so that what comes next is read together with others.
        var hasCaughtUp = false
        /// The event that was in hand at the last crash, and how many crashes there were.
        var crashed: (position: Position, times: Int)?
        var overflow: TroubleLog
        var pausing: TroubleLog

        var isPaused: Bool { pauses && alike.isPaused }

        init(_ consumer: String, _ lease: PartitionLease, _ logger: Logger?) {
            self.lease = lease
            overflow = TroubleLog("The consumer \(consumer)", logger)
            pausing = overflow
        }

        /// Discards what is remembered, so that it is read from the store again.
        mutating func forget() {
            tail = nil
            plan = StepPlan()
        }
    }

    func newMemory() -> Memory { Memory(consumer.name, lease, context.logger) }

    struct Step {
        /// What to do next.
        enum Next {
            case more, newEvents, retries
            /// It has come to where it must stop.
            case stop
        }

        var position: Position
        var next: Next
        var nextRetry: Date?
    }

    /// Processes due events and one page of new ones.
    ///
    /// - Parameter saving: saves what a policy has done, which must not be repeated because saving failed.
    /// - Throws: ``LeaseLost``, ``CheckpointDiverged``, ``ConsumerStopped``, or what the stores throw.
    func step(
        _ memory: inout Memory, saving: (() async throws -> Void) async throws -> Void = { try await $0() }
    ) async throws -> Step {
        do {
            return try await step(try await recalled(&memory), &memory, saving)
        } catch let error as EventStoreError where error.code == .checkpointMoved {
            // The lease is lost, or somebody has decided about held streams.
            memory.forget()
            return Step(position: .start, next: .more)
        } catch {
            // The plan was not stored: it is made again.
            memory.forget()
            throw error
        }
    }

    /// The partition's state: as remembered, or else as stored.
    private func recalled(_ memory: inout Memory) async throws -> ConsumerTail {
        if signal.takeReread() { memory.forget() }
        if let tail = memory.tail { return tail }
        let states = try await consumer.checkpoints.partitions(of: consumer.name)
        guard let state = states.first(where: { $0.partition == partition }), let current = state.lease,
            current.owner == lease.owner
        else { throw LeaseLost() }
        try await checkHistory(state.checkpoint)
        memory.lease = current
        memory.runTo = state.runTo
        memory.isLive = state.isLive
        if memory.cautiousFor == nil {
            memory.cautiousFor = state.inHand != nil || state.crashes > 1 ? Self.pageSize : 0
            memory.crashed = state.inHand.map { ($0, state.crashes) }
        }
        memory.plan = StepPlan(held: try await consumer.checkpoints.held(by: partition))
        if failures.retriesWithNewBuild { retryParked(&memory.plan) }
        let tail = ConsumerTail(state.checkpoint)
        memory.tail = tail
        progress(memory)
        return tail
    }

    /// Checks that the checkpoint lies in this store's history.
    private func checkHistory(_ checkpoint: Checkpoint) async throws {
        if checkpoint == .start { return }
        let page = try await store.page(Read(after: checkpoint.position, limit: 0))
        let identity = try await store.identity()
        let sameStore = checkpoint.store == nil || checkpoint.store == identity
        // A store that shows only some of its events may not tell the id of another.
        let isKnown = page.throughID == nil || page.throughID == checkpoint.eventID
        guard sameStore, page.head >= checkpoint.position, isKnown else {
            throw CheckpointDiverged(consumer: consumer.name, checkpoint: checkpoint.position, head: page.head)
        }
    }

    /// Gives what another build has parked one more attempt.
    private func retryParked(_ plan: inout StepPlan) {
        for held in plan.streams where held.isParked && held.failure?.build != build {
            plan.unpark(held, at: context.now())
        }
    }

    /// How much one step does.
    private enum Pace {
        case page
        /// One event, because of crashes or because the consumer is paused.
        case single
        /// Nothing, until the time of the next probe.
        case none
    }

    private func pace(_ memory: inout Memory, _ now: Date) -> Pace {
        if memory.isPaused {
            memory.pausing.begins("pauses, and tries one event at a time", Alike(memory.alike))
            if let probeAt = memory.probeAt, probeAt > now { return .none }
            return .single
        }
        memory.pausing.ends("goes on")
        return (memory.cautiousFor ?? 0) > 0 ? .single : .page
    }

    private func step(
        _ tail: ConsumerTail, _ memory: inout Memory, _ saving: (() async throws -> Void) async throws -> Void
    ) async throws -> Step {
        let now = context.now()
        let pace = pace(&memory, now)
        if pace == .none { return Step(position: tail.reached.position, next: .retries, nextRetry: memory.probeAt) }
        postponeHidden(&memory, now)
        let hasArrived = memory.runTo.map { tail.reached.position >= $0 } ?? false
        let (due, leavesSome) = hasArrived ? ([], false) : try await due(&memory, now, pace)
        var to = tail.reached
        var news = News()
        var head = to.position
        var next = Step.Next.retries
        // Events of deleted streams wait for a person, and must not keep everything else waiting.
        let waiting = memory.plan.count(without: memory.hidden.keys)
        let takesNews = pace == .page || due.isEmpty
        if hasArrived {
            next = .stop
        } else if waiting >= Self.mostHeld {
            memory.overflow.begins("reads no new events until held streams are done", TooManyHeld(waiting))
        } else if takesNews {
            memory.overflow.ends("reads new events again")
            let page = try await page(after: to.position, &memory, pace)
            if page.head < to.position {
                throw CheckpointDiverged(consumer: consumer.name, checkpoint: to.position, head: page.head)
            }
            news = page.news
            head = page.head
            next = page.hasMore || page.through < page.head ? .more : .newEvents
            memory.hasCaughtUp = next == .newEvents
            if page.through > to.position {
                to = Checkpoint(position: page.through, eventID: page.throughID, store: try await store.identity())
            }
        } else {
            next = .more
        }
        if leavesSome { next = .more }
        if news.events.isEmpty, due.isEmpty {
            if next == .newEvents { memory.cautiousFor = 0 }
            if memory.plan.isUnchanged {
                memory.tail?.passed(to: to, at: context.uptime())
                // What does not concern it has taken effect as soon as it is read.
                progress(memory)
                if signal.takeFlush() { try await flush(&memory) }
                if memory.tail?.savesIn(at: context.uptime()) == .zero || next == .stop { try await flush(&memory) }
                return Step(position: to.position, next: next, nextRetry: nextRetry(memory))
            }
        }
        if pace == .single { try await takeInHand(due.first?.events.first ?? news.events.first, &news, &memory) }
        let begun = context.uptime()
        let outcome: Processed
        switch consumer.work {
        case .projection(let projection, let readModels):
            outcome = try await project(projection, readModels, due, news, to, &memory)
        case .policy(let policy, let checkpoints):
            // From `reached`, not `saved`: the events in between do not concern the policy.
            outcome = await react(policy, due, news, tail.reached, to, &memory)
            let step = step(memory, outcome.reached)
            try await saving { try await checkpoints.save(step) }
        }
        memory.plan.stored()
        memory.tail?.stored(outcome.reached)
        progress(memory)
        observe(news, outcome, since: begun, head: head)
        if pace == .single {
            memory.cautiousFor = memory.cautiousFor.map { max(0, $0 - 1) }
            memory.crashed = nil
        }
        if memory.isPaused {
            let pause = failures.pause(attempts: memory.alike.probes, random: context.random())
            memory.probeAt = now.addingTimeInterval(pause / .seconds(1))
        }
        if let stopped = outcome.stopped { throw stopped }
        if let outage = outcome.outage { throw outage }
        return Step(position: outcome.reached.position, next: next, nextRetry: nextRetry(memory))
    }

    /// The next page: read together with others if they all want the newest one.
    private func page(after: Position, _ memory: inout Memory, _ pace: Pace) async throws -> SharedTail.Answer {
        if memory.hasCaughtUp, memory.runTo == nil, pace == .page,
            let answer = try await tail.next(consumer.query, slices, after: after)
        {
            return answer
        }
        let page = try await store.page(
            read(after: after, upTo: memory.runTo, limit: pace == .page ? Self.pageSize : 1))
        return SharedTail.Answer(
            news: News(page), through: page.through, throughID: page.throughID, head: page.head, hasMore: page.hasMore)
    }

    private func nextRetry(_ memory: Memory) -> Date? {
        memory.isPaused ? memory.probeAt : memory.plan.nextRetry
    }

    private func observe(_ news: News, _ outcome: Processed, since begun: Duration, head: Position) {
        guard let observer = settings.observer else { return }
        let passed = news.events.prefix { $0.position <= outcome.reached.position }
        observer.processed(consumer.name, events: passed.count, in: context.uptime() - begun)
        guard let last = passed.last?.parts.last else { return }
        let positions = max(0, head.rawValue - outcome.reached.position.rawValue)
        // What remains is younger than the last one.
        let seconds = positions == 0 ? 0 : max(0, context.now().timeIntervalSince(last.recordedAt))
        observer.isBehind(consumer.name, seconds: seconds, positions: Int(clamping: positions))
    }

    /// How a step ended.
    struct Processed {
        var reached: Checkpoint
        /// Something that an event needs is away: the event is tried again when the step is.
        var outage: (any Error)?
        var stopped: ConsumerStopped?
    }

    /// After crashes: stores which event is processed next, alone, so that a crash can be attributed to it. If it has
    /// crashed too often, it has failed.
    private func takeInHand(_ event: Recorded?, _ news: inout News, _ memory: inout Memory) async throws {
        guard let event, (memory.cautiousFor ?? 0) > 0, let tail = memory.tail else { return }
        if let crashed = memory.crashed, crashed.position == event.position, crashed.times >= Self.mostCrashes {
            // Also for an event that was held.
            news.failures[event.position] = EventFailure(
                code: "process_ended",
                reason: "The process ended \(crashed.times) times in a row while it processed this event.")
        }
        // The position stays where it is.
        var step = ConsumerStep(partition: partition, from: tail.saved, to: tail.saved, lease: memory.lease)
        step.inHand = event.position
        try await consumer.checkpoints.save(step)
    }

    /// Stores how far the consumer has read.
    func flush(_ memory: inout Memory) async throws {
        guard let tail = memory.tail, tail.isUnsaved else { return }
        do {
            try await consumer.checkpoints.save(
                ConsumerStep(partition: partition, from: tail.saved, to: tail.reached, lease: memory.lease))
            memory.tail?.stored(tail.reached)
            progress(memory)
        } catch let error as EventStoreError where error.code == .checkpointMoved {
            memory.forget()
        }
    }

    /// Tells those who wait in this process.
    func progress(_ memory: Memory) {
        guard let progress = consumer.checkpoints.progress, let tail = memory.tail else { return }
        if memory.isLive {
            progress.stored(partition, tail.reached.position, holds: !memory.plan.streams.isEmpty)
        } else {
            progress.ended(partition)
        }
    }

    /// The events of one page, including those that could not be upcast.
    struct News: Sendable {
        var events: [Recorded] = []
        var failures: [Position: EventFailure] = [:]

        init() {}

        init(_ page: Page) {
            events = Recorded.grouped(page.events)
            failures = page.failures.mapValues(EventFailure.upcasting)
        }
    }

    func step(_ memory: Memory, _ to: Checkpoint) -> ConsumerStep {
        ConsumerStep(
            partition: partition, from: memory.tail?.saved ?? .start, to: to, hold: memory.plan.hold,
            release: memory.plan.release, lease: memory.lease)
    }

    func read(after: Position, upTo: Position? = nil, limit: Int) -> Read {
        var read = Read(consumer.query, after: after, upTo: upTo, limit: limit, slices: slices)
        read.showsFailures = true
        return read
    }

    var slices: ClosedRange<Int>? { partition.slices.count == StreamID.slices ? nil : partition.slices }

    // MARK: Held events

    /// A held stream that is due, with the events that wait.
    struct Due {
        let held: HeldStream
        /// In order; empty if they are gone: erased, or not selected by the query.
        let events: [Recorded]
        /// Why events cannot be upcast, by position.
        let failures: [Position: EventFailure]
        /// Where the rest of the waiting events begins; `nil` if there is none.
        let rest: Position?
    }

    private func postponeHidden(_ memory: inout Memory, _ now: Date) {
        let plan = memory.plan
        memory.hidden = memory.hidden.filter { $0.value > now && plan.holds($0.key) }
        for (stream, until) in memory.hidden { memory.plan.postpone(stream, until: until) }
    }

    /// The due streams, whose events are read again; the events of deleted streams keep waiting. Also whether some are
    /// left for the next step.
    private func due(
        _ memory: inout Memory, _ now: Date, _ pace: Pace
    ) async throws -> (due: [Due], leavesSome: Bool) {
        var streams = memory.plan.due(at: now)
        if memory.isPaused {
            // A probe, which is a held stream or a new event in turn.
            streams = memory.alike.probesNewEvent ? [] : memory.plan.probe.map { [$0] } ?? []
        }
        var result: [Due] = []
        // At most a page of them in one step; the rest comes with the next.
        var room = pace == .page ? Self.pageSize : 1
        for held in streams {
            if room <= 0 { return (result, true) }
            var read = read(after: held.first.previous, upTo: held.through, limit: room)
            read.query = consumer.query.narrowed(to: held.stream)
            let page = try await store.page(read)
            let news = News(page)
            if news.events.isEmpty, try await store.abilities.deletion?.isDeleted(held.stream) == true {
                let later = now.addingTimeInterval(Self.hiddenFor)
                memory.hidden[held.stream] = later
                memory.plan.postpone(held.stream, until: later)
                room -= 1
                continue
            }
            let rest = page.through < held.through ? page.through.next : nil
            result.append(Due(held: held, events: news.events, failures: news.failures, rest: rest))
            room -= max(1, news.events.count)
        }
        return (result, false)
    }
}

/// A consumer holds too many streams.
private struct TooManyHeld: Error, CustomStringConvertible {
    let description: String

    init(_ count: Int) { description = "\(count) streams are held" }
}

private struct Alike: Error, CustomStringConvertible {
    let description: String

    init(_ failures: AlikeFailures) { description = failures.description }
}

extension Position {
    fileprivate var next: Position { Position(rawValue: rawValue + 1) }
    fileprivate var previous: Position { Position(rawValue: rawValue - 1) }
}

extension EventQuery {
    /// The same query, restricted to one stream.
    fileprivate func narrowed(to stream: StreamID) -> EventQuery {
        EventQuery(
            items: items.compactMap { item in
                if let own = item.stream, own != stream { return nil }
                if let category = item.category, !ExactText.areEqual(category, stream.category) { return nil }
                return Item(types: item.types, tags: item.tags, stream: stream)
            })
    }
}
