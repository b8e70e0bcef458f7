import DiscoCore
import Foundation
import Logging

extension ConsumerLoop {
    private enum Verdict {
        case done
        case failed(EventFailure)
        /// The policy wants the event again at this time.
        case later(Date)
        case outage(any Error)
        /// The task ended before the policy did: the outcome is unknown, and no attempt is counted.
        case interrupted
    }

    /// Whether the loop goes on after an event.
    private enum Progress { case settled, held, interrupted }

    /// Lets the policy process due events and new ones.
    ///
    /// - Returns: how far it came: to the end, or to the last event before the consumer had to stop.
    func react(
        _ policy: any Policy, _ due: [Due], _ news: News, _ from: Checkpoint, _ to: Checkpoint, _ memory: inout Memory
    ) async -> Processed {
        var result = Processed(reached: from)
        for due in due {
            if await retry(policy, due, news.failures, &memory, &result) == .interrupted { return result }
        }
        for event in news.events {
            if memory.plan.holds(event.stream) {
                memory.plan.wait(event)
            } else {
                // The remaining events are left for the next step, or the next run.
                if isEnding || !membership.mayBegin || memory.isPaused && event.id != news.events[0].id {
                    return result
                }
                let failure = news.failures[event.position]
                if await process(policy, event, failure, &memory, &result) == .interrupted { return result }
            }
            result.reached = Checkpoint(position: event.position, eventID: event.id, store: to.store)
        }
        result.reached = to
        return result
    }

    private func retry(
        _ policy: any Policy, _ due: Due, _ failures: [Position: EventFailure], _ memory: inout Memory,
        _ result: inout Processed
    ) async -> Progress {
        for event in due.events {
            if isEnding || !membership.mayBegin { return .interrupted }
            let failure = due.failures[event.position] ?? failures[event.position]
            let progress = await process(policy, event, failure, &memory, &result)
            if progress != .settled { return progress }
            // What is done must not be repeated, even if the next one is interrupted.
            memory.plan.hold(event) { held in
                held = HeldStream(
                    event.stream, first: Position(rawValue: event.position.rawValue + 1),
                    through: max(due.held.through, Position(rawValue: event.position.rawValue + 1)),
                    retryAt: context.now())
            }
        }
        memory.plan.done(due.held, rest: due.rest, at: context.now())
        return .settled
    }

    private func process(
        _ policy: any Policy, _ event: Recorded, _ failure: EventFailure?, _ memory: inout Memory,
        _ result: inout Processed
    ) async -> Progress {
        let attempts = memory.plan.attempts(at: event.position, of: event.stream)
        let verdict =
            if let failure { Verdict.failed(failure) } else { await self.verdict(policy, event, attempt: attempts + 1) }
        switch verdict {
        case .done:
            memory.alike.succeeded()
            return .settled
        case .failed(let failure):
            let isSettled = settled(event, failure, &memory, &result)
            memory.alike.failed(event.stream, failure.code)
            if isSettled { return .settled }
            if let held = memory.plan.stream(event.stream) { logFailure(held, failure) }
            return .held
        case .later(let date):
            memory.plan.hold(event) { held in
                held.retryAt = date
                held.parkedAt = nil
            }
            return .held
        case .outage(let error):
            result.outage = Outage(error)
            return .interrupted
        case .interrupted: return .interrupted
        }
    }

    private func verdict(_ policy: any Policy, _ event: Recorded, attempt: Int) async -> Verdict {
        let sender = PolicySender(consumer: consumer.name, event: event.id, attempt: attempt)
        let (limit, name, observer) = (failures.timeLimit, consumer.name, settings.observer)
        do {
            for part in event.parts {
                let outcome = try await context.limited(to: limit, TookTooLong(limit: limit)) {
                    let context = PolicyContext(event: part, sender: sender)
                    let outcome =
                        if let observer {
                            try await observer.around(name, part) { try await policy.process(part, in: context) }
                        } else {
                            try await policy.process(part, in: context)
                        }
                    if case .retry = outcome { return outcome }
                    try await sender.settle()
                    return outcome
                }
                switch outcome {
                case .done: break
                case .retry(let delay):
                    return .later(context.now().addingTimeInterval(delay.bounded / .seconds(1)))
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
            if failures.classify(error) == .outage { return .outage(error) }
            var failure = EventFailure(error)
            failure.isFinal = sender.hasChangedCommand
            return .failed(failure)
        }
    }
}

/// A policy took longer than its failure policy allows.
private struct TookTooLong: Error, CustomStringConvertible {
    let limit: Duration

    var description: String { "The policy took longer than its time limit of \(limit)." }
}
