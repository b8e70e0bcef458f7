import DiscoCore
import Foundation
import Logging

extension ConsumerLoop {
    private struct Failure: Error {
        let position: Position
        let underlying: any Error
    }

    /// Thrown to roll back the transaction that looked for failures.
    private struct Found: Error {
        let failures: [Position: String]
    }

    /// Runs the whole step in one transaction. If an event fails, finds all failing events in a transaction that is
    /// rolled back, holds them, and runs the step without them.
    func project(
        _ projection: any Projection, _ readModels: any ReadModelStore, _ due: [[Due]], _ news: News,
        _ from: Checkpoint, _ to: Checkpoint, _ plan: inout StepPlan
    ) async throws {
        let untouched = plan
        var failures = news.failures
        for due in due.joined() { failures[due.held.position] = due.failure }
        while true {
            plan = untouched
            let apply = self.plan(due, news.events, failures, &plan)
            do {
                try await readModels.commit(step(from, to, plan)) { transaction in
                    for event in apply {
                        do {
                            for part in event.parts { try projection.apply(part, transaction) }
                        } catch {
                            throw Failure(position: event.position, underlying: error)
                        }
                    }
                }
                break
            } catch let failure as Failure {
                var found = try await self.failures(of: apply, projection, readModels)
                // This event is not tried again now, whatever its failure depended on.
                found[failure.position] = found[failure.position] ?? String(describing: failure.underlying)
                failures.merge(found) { $1 }
            }
        }
        let attempts = Dictionary(plan.hold.map { ($0.position, $0.attempts) }) { $1 }
        for (position, reason) in failures.sorted(by: { $0.key < $1.key }) {
            guard let attempt = attempts[position], attempt > 0 else { continue }
            context.logger?.warning("\(consumer.name) failed at position \(position), attempt \(attempt): \(reason)")
        }
    }

    /// The events to apply if these fail; `plan` has them as done, and the rest as held.
    private func plan(
        _ due: [[Due]], _ events: [Recorded], _ failures: [Position: String], _ plan: inout StepPlan
    ) -> [Recorded] {
        var apply: [Recorded] = []
        for stream in due {
            for due in stream {
                if let reason = failures[due.held.position] {
                    plan.failed(
                        due.held, retryAt: FailurePolicy.retryAt(attempts: due.held.attempts, context), reason: reason)
                    break
                }
                if let event = due.event { apply.append(event) }
                plan.done(due.held)
            }
        }
        for event in events {
            if plan.holds(event.stream) {
                plan.wait(event)
            } else if let reason = failures[event.position] {
                plan.failed(event, retryAt: FailurePolicy.retryAt(attempts: 0, context), reason: reason)
            } else {
                apply.append(event)
            }
        }
        return apply
    }

    /// The first failing event of each stream, each tried on its own; all changes are rolled back.
    private func failures(
        of events: [Recorded], _ projection: any Projection, _ readModels: any ReadModelStore
    ) async throws -> [Position: String] {
        do {
            try await readModels.write { transaction in
                var failures: [Position: String] = [:]
                var failed: Set<StreamID> = []
                for event in events where !failed.contains(event.stream) {
                    do {
                        try transaction.isolated {
                            for part in event.parts { try projection.apply(part, transaction) }
                        }
                    } catch {
                        failures[event.position] = String(describing: error)
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
}
