import DiscoCore
import Foundation
import Logging

extension ConsumerLoop {
    private struct Failure: Error {
        /// The event that failed; `nil` if that is not known.
        var position: Position?
        let underlying: any Error
    }

    /// Thrown to roll back the transaction that looked for failures.
    private struct Found: Error {
        let failures: [Position: EventFailure]
    }

    /// Runs the whole step in one transaction. If an event fails, finds all failing events in a transaction that is
    /// rolled back, holds them, and runs the step without them.
    func project(
        _ projection: any Projection, _ readModels: any ReadModelStore, _ due: [Due], _ news: News, _ to: Checkpoint,
        _ memory: inout Memory
    ) async throws -> Processed {
        let untouched = memory.plan
        var failures = news.failures
        for due in due { failures.merge(due.failures) { $1 } }
        var batches = projection as? any BatchProjection
        var result = Processed(reached: to)
        while true {
            memory.plan = untouched
            result.stopped = nil
            let apply = plan(due, news.events, failures, &memory, &result)
            let step = step(memory, to)
            do {
                try await readModels.commit(step) { [batches] transaction in
                    if let batches {
                        do {
                            if !apply.isEmpty { try batches.apply(apply.flatMap(\.parts), transaction) }
                        } catch {
                            throw Failure(underlying: error)
                        }
                        return
                    }
                    for event in apply {
                        do {
                            for part in event.parts { try projection.apply(part, transaction) }
                        } catch {
                            // An error of a database may come after the event that caused it.
                            let isKnown = transaction.isImmediate || !(error is EventStoreError)
                            throw Failure(position: isKnown ? event.position : nil, underlying: error)
                        }
                    }
                }
                report(apply, failures, &memory)
                return result
            } catch let failure as Failure {
                if self.failures.classify(failure.underlying) == .outage { throw Outage(failure.underlying) }
                // What fails as a batch may succeed event by event.
                let wasBatch = batches != nil
                batches = nil
                var found = try await self.failures(of: apply, projection, readModels)
                if let position = failure.position {
                    // This event is not tried again now, whatever its failure depended on.
                    found[position] = found[position] ?? EventFailure(failure.underlying)
                } else if found.isEmpty, !wasBatch, let last = apply.last {
                    // Together they fail, but none alone: the last one waits for the next step.
                    found[last.position] = EventFailure(failure.underlying)
                }
                failures.merge(found) { $1 }
            }
        }
    }

    /// The events to apply if these fail; the plan has them as done, and the rest as held.
    private func plan(
        _ due: [Due], _ events: [Recorded], _ failures: [Position: EventFailure], _ memory: inout Memory,
        _ result: inout Processed
    ) -> [Recorded] {
        var apply: [Recorded] = []
        /// Returns whether the event is settled: to be applied, or skipped.
        func settle(_ event: Recorded) -> Bool {
            guard let failure = failures[event.position] else {
                apply.append(event)
                return true
            }
            return settled(event, failure, &memory, &result)
        }
        for due in due where due.events.allSatisfy(settle) {
            memory.plan.done(due.held, rest: due.rest, at: context.now())
        }
        for event in events {
            if memory.plan.holds(event.stream) {
                memory.plan.wait(event)
            } else {
                _ = settle(event)
            }
        }
        return apply
    }

    /// The first failing event of each stream, each tried on its own; all changes are rolled back.
    private func failures(
        of events: [Recorded], _ projection: any Projection, _ readModels: any ReadModelStore
    ) async throws -> [Position: EventFailure] {
        do {
            try await readModels.write { transaction in
                var failures: [Position: EventFailure] = [:]
                var failed: Set<StreamID> = []
                for event in events where !failed.contains(event.stream) {
                    do {
                        try transaction.isolated {
                            for part in event.parts { try projection.apply(part, transaction) }
                        }
                    } catch {
                        failures[event.position] = EventFailure(error)
                        failed.insert(event.stream)
                    }
                }
                throw Found(failures: failures)
            }
            return [:]
        } catch let found as Found {
            return found.failures
        }
    }

    /// Logs the failures of a step that was stored.
    private func report(_ applied: [Recorded], _ failures: [Position: EventFailure], _ memory: inout Memory) {
        if !applied.isEmpty { memory.alike.succeeded() }
        let failed = memory.plan.hold.compactMap { held in failures[held.first].map { (held, $0) } }
        for (held, failure) in failed {
            logFailure(held, failure)
            if applied.isEmpty { memory.alike.failed(held.stream, failure.code) }
        }
    }
}
