import DiscoCore
import Foundation
import Logging

extension ConsumerLoop {
    private enum Verdict {
        case done
        case failed(retryAt: Date, reason: String)
        /// The task ended before the policy did: the outcome is unknown, and no attempt is counted.
        case interrupted
    }

    /// Lets the policy process due events and new ones.
    ///
    /// - Returns: how far it came: to the end, or to the last event before the consumer was asked to end.
    func react(
        _ policy: any Policy, _ due: [[Due]], _ news: News, _ from: Checkpoint, _ to: Checkpoint, _ plan: inout StepPlan
    ) async -> Checkpoint {
        for stream in due { await retry(policy, stream, &plan) }
        var done = from
        for event in news.events {
            // Shutting down: the remaining events are left for the next run.
            guard await process(policy, event, news.failures[event.position], &plan) else { return done }
            done = Checkpoint(position: event.position, eventID: event.id, store: to.store)
        }
        return to
    }

    /// Returns false if the consumer is shutting down and the event was not processed.
    private func process(
        _ policy: any Policy, _ event: Recorded, _ failure: String?, _ plan: inout StepPlan
    ) async -> Bool {
        if plan.holds(event.stream) {
            plan.wait(event)
            return true
        }
        if Shutdown.isAsked { return false }
        switch await verdict(policy, event, failure, attempts: 0) {
        case .done: return true
        case .failed(let retryAt, let reason):
            plan.failed(event, retryAt: retryAt, reason: reason)
            return true
        case .interrupted: return false
        }
    }

    private func retry(_ policy: any Policy, _ stream: [Due], _ plan: inout StepPlan) async {
        for due in stream {
            if let event = due.event {
                if Shutdown.isAsked { return }
                switch await verdict(policy, event, due.failure, attempts: due.held.attempts) {
                case .done: break
                case .failed(let retryAt, let reason): return plan.failed(due.held, retryAt: retryAt, reason: reason)
                case .interrupted: return
                }
            }
            plan.done(due.held)
        }
    }

    private func verdict(
        _ policy: any Policy, _ event: Recorded, _ failure: String?, attempts: Int
    ) async -> Verdict {
        if let failure { return failed(event, failure, attempts) }
        do {
            for part in event.parts {
                switch try await policy.process(part) {
                case .done: break
                case .retry(let delay):
                    return .failed(
                        retryAt: context.now().addingTimeInterval(delay.bounded / .seconds(1)),
                        reason: "the policy requested a retry")
                case .skip(let reason):
                    context.logger?.notice(
                        "\(consumer.name) skipped the event at position \(event.position): \(reason)")
                }
            }
            return .done
        } catch  where Task.isCancelled {
            // Whatever error the policy, or what it called, turned the cancellation into.
            return .interrupted
        } catch {
            return failed(event, String(describing: error), attempts)
        }
    }

    private func failed(_ event: Recorded, _ reason: String, _ attempts: Int) -> Verdict {
        context.logger?.warning(
            "\(consumer.name) failed at position \(event.position), attempt \(attempts + 1): \(reason)")
        return .failed(retryAt: FailurePolicy.retryAt(attempts: attempts, context), reason: reason)
    }
}
