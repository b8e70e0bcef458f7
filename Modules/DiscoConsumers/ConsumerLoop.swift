import DiscoCore
import Foundation
import Logging

/// Takes one consumer forward, step by step.
struct ConsumerLoop: Sendable {
    static let pageSize = 500
    /// With so many events waiting the consumer stops reading new ones.
    static let mostHeld = 10_000

    let consumer: EventConsumer
    let store: any EventStore
    let logger: Logger

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
            try await readModels.write { transaction in try projection.setUp(transaction) }
        }
        let checkpoint = try await consumer.checkpoints.checkpoint(of: consumer.name)
        if checkpoint == .start { return try await begin() }
        let page = try await store.page(Read(after: checkpoint.position, limit: 0))
        let identity = try await store.identity()
        let sameStore = checkpoint.store == nil || checkpoint.store == identity
        guard sameStore, page.head >= checkpoint.position, page.throughID == checkpoint.eventID else {
            throw CheckpointDiverged(consumer: consumer.name, checkpoint: checkpoint.position, head: page.head)
        }
    }

    private func begin() async throws {
        let to = try await consumer.start.checkpoint(in: store)
        if to == .start { return }
        do {
            try await consumer.checkpoints.save(DiscoCore.Progress(consumer: consumer.name, from: .start, to: to))
        } catch let error as EventStoreError where error.code == .checkpointMoved {
            // Another process began at the same time; its checkpoint counts.
        }
    }

    /// Processes what is due and one page of what is new.
    func step() async throws -> Step {
        let checkpoint = try await consumer.checkpoints.checkpoint(of: consumer.name)
        let held = try await consumer.checkpoints.held(by: consumer.name)
        var batch = Batch(held: held)
        let before = checkpoint.position
        var to = checkpoint
        var events: [Recorded] = []
        var next = Step.Next.retries
        if held.count < Self.mostHeld {
            let page = try await store.page(Read(consumer.query, after: before, limit: Self.pageSize))
            events = Recorded.grouped(page.events)
            next = page.hasMore || page.through < page.head ? .more : .newEvents
            to = Checkpoint(position: page.through, eventID: page.throughID, store: try await store.identity())
        } else {
            logger.error("\(consumer.name) has \(held.count) events waiting and reads no new ones until some are done.")
        }
        let due = try await recordedEvents(batch.due(at: Date()))
        if events.isEmpty, due.isEmpty, to.position == before {
            return Step(position: before, next: next, nextRetry: batch.nextRetry)
        }
        do {
            switch consumer.work {
            case .projection(let projection, let readModels):
                try await project(projection, readModels, due, events, checkpoint, to, &batch)
            case .policy(let policy, let checkpoints):
                for stream in due { await retry(policy, stream, &batch) }
                var done = checkpoint
                for event in events {
                    guard await process(policy, event, &batch) else {
                        // Shutting down: what comes from here on is left for the next run.
                        to = done
                        break
                    }
                    done = Checkpoint(position: event.position, eventID: event.id, store: to.store)
                }
                try await checkpoints.save(progress(checkpoint, to, batch))
            }
        } catch let error as EventStoreError where error.code == .checkpointMoved {
            // Another process took this step; its checkpoint counts.
            return Step(position: before, next: .more, nextRetry: nil)
        }
        return Step(position: to.position, next: next, nextRetry: batch.nextRetry)
    }

    private typealias Due = [(held: HeldEvent, event: Recorded?)]

    private func recordedEvents(_ due: [[HeldEvent]]) async throws -> [Due] {
        var result: [Due] = []
        // No more than a page of them in one step; the rest of a stream comes with the next.
        var room = Self.pageSize
        for stream in due where room > 0 {
            var events: Due = []
            for held in stream.prefix(room) {
                let before = Position(rawValue: held.position.rawValue - 1)
                let page = try await store.page(Read(.all, after: before, upTo: held.position, limit: 1))
                events.append((held, Recorded.grouped(page.events.filter(consumer.query.matches)).first))
            }
            room -= events.count
            result.append(events)
        }
        return result
    }

    private func progress(_ from: Checkpoint, _ to: Checkpoint, _ batch: Batch) -> DiscoCore.Progress {
        DiscoCore.Progress(consumer: consumer.name, from: from, to: to, hold: batch.hold, release: batch.release)
    }

    // MARK: Policies

    private enum Verdict {
        case done
        case failed(retryAt: Date, reason: String)
        /// The task ended before the policy had: nothing is known, and nothing is counted.
        case interrupted
    }

    /// False where the consumer shuts down, and the event was not processed.
    private func process(_ policy: any Policy, _ event: Recorded, _ batch: inout Batch) async -> Bool {
        if batch.holds(event.stream) {
            batch.wait(event)
            return true
        }
        if Shutdown.isAsked { return false }
        switch await verdict(policy, event, attempts: 0) {
        case .done: return true
        case .failed(let retryAt, let reason):
            batch.failed(event, retryAt: retryAt, reason: reason)
            return true
        case .interrupted: return false
        }
    }

    private func retry(_ policy: any Policy, _ stream: Due, _ batch: inout Batch) async {
        for (held, event) in stream {
            if let event {
                if Shutdown.isAsked { return }
                switch await verdict(policy, event, attempts: held.attempts) {
                case .done: break
                case .failed(let retryAt, let reason): return batch.failed(held, retryAt: retryAt, reason: reason)
                case .interrupted: return
                }
            }
            batch.done(held)
        }
    }

    private func verdict(_ policy: any Policy, _ event: Recorded, attempts: Int) async -> Verdict {
        do {
            for part in event.parts {
                switch try await policy.process(part) {
                case .done: break
                case .retry(let delay):
                    return .failed(
                        retryAt: Date(timeIntervalSinceNow: delay / .seconds(1)), reason: "the policy asked for a retry"
                    )
                case .skip(let reason):
                    logger.notice("\(consumer.name) skips the event at position \(event.position): \(reason)")
                }
            }
            return .done
        } catch is CancellationError where Task.isCancelled {
            return .interrupted
        } catch {
            logger.warning("\(consumer.name) failed at position \(event.position), attempt \(attempts + 1): \(error)")
            return .failed(retryAt: Backoff.date(attempts: attempts), reason: String(describing: error))
        }
    }

    // MARK: Projections

    private struct Failure: Error {
        let position: Position
        let underlying: any Error
    }

    /// Runs the whole step in one transaction; what fails is rolled back, set aside, and the rest tried again without
    /// it.
    private func project(
        _ projection: any Projection, _ readModels: any ReadModelStore, _ due: [Due], _ events: [Recorded],
        _ from: Checkpoint, _ to: Checkpoint, _ batch: inout Batch
    ) async throws {
        let untouched = batch
        var failures: [Position: any Error] = [:]
        while true {
            batch = untouched
            var apply: [Recorded] = []
            for stream in due {
                for (held, event) in stream {
                    if let error = failures[held.position] {
                        batch.failed(
                            held, retryAt: Backoff.date(attempts: held.attempts), reason: String(describing: error))
                        break
                    }
                    if let event { apply.append(event) }
                    batch.done(held)
                }
            }
            for event in events {
                if batch.holds(event.stream) {
                    batch.wait(event)
                } else if let error = failures[event.position] {
                    batch.failed(event, retryAt: Backoff.date(attempts: 0), reason: String(describing: error))
                } else {
                    apply.append(event)
                }
            }
            do {
                return try await readModels.commit(progress(from, to, batch)) { [apply] transaction in
                    for event in apply {
                        do {
                            for part in event.parts { try projection.apply(part, transaction) }
                        } catch {
                            throw Failure(position: event.position, underlying: error)
                        }
                    }
                }
            } catch let failure as Failure {
                logger.warning("\(consumer.name) failed at position \(failure.position): \(failure.underlying)")
                failures[failure.position] = failure.underlying
            }
        }
    }
}

/// When something that failed is tried again: after 0.1 s, then twice as long each time, up to a minute, with up to a
/// fifth of jitter so that consumers do not come back in step.
enum Backoff {
    static func date(attempts: Int) -> Date { Date(timeIntervalSinceNow: seconds(attempts: attempts)) }

    static func seconds(attempts: Int) -> Double {
        min(60, 0.1 * Double(1 << min(attempts, 10))) * Double.random(in: 0.8...1)
    }
}
