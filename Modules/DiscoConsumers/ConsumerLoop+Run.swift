import DiscoCore
import Foundation

extension ConsumerLoop {
    /// How a loop ended.
    enum Ending: Sendable {
        /// It was asked to end.
        case ended
        /// Another member owns the partition now.
        case lost
    }

    /// Steps and waits until it is asked to end or the lease is lost; then stores how far it came and gives the
    /// partition back.
    func run() async throws -> Ending {
        var memory = newMemory()
        do {
            let ending = try await run(&memory)
            await giveBack(&memory)
            return ending
        } catch {
            await giveBack(&memory)
            throw error
        }
    }

    /// What was read need not be read again; the partition can be claimed by others at once.
    func giveBack(_ memory: inout Memory) async {
        membership.trouble.ends(part)
        membership.trouble.ends(part + " waiting")
        defer { consumer.checkpoints.progress?.ended(partition) }
        try? await flush(&memory)
        try? await consumer.checkpoints.release(partition, memory.lease)
    }

    private func run(_ memory: inout Memory) async throws -> Ending {
        var runner = ConsumerRunner()
        var (needing, renewing) = (newTrouble(), newTrouble())
        let trouble = membership.trouble
        var action = ConsumerRunner.Action.step
        while !isEnding {
            do {
                switch action {
                case .step where !consumer.isProjection && !membership.mayBegin:
                    // Its commands could come after those of a successor.
                    renewing.begins("waits for its lease to be renewed", LeaseOverdue())
                    action = .pause(.milliseconds(20))
                case .step:
                    renewing.ends("is running again")
                    do {
                        let step = try await step(&memory) { try await patiently($0) }
                        needing.ends("is running again")
                        trouble.ends(part)
                        action = runner.stepped(
                            to: step.position, step.next, retryIn: step.nextRetry.map(untilRetry),
                            saveIn: memory.tail?.savesIn(at: context.uptime()))
                        // The partition is about to be exchanged for others.
                        if step.next == .stop { return .ended }
                    } catch let outage as Outage {
                        trouble.ends(part)
                        needing.begins("waits for what it needs and is retrying", outage.underlying)
                        action = runner.stepFailed(random: context.random())
                    } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                        trouble.begins(part, error)
                        action = runner.stepFailed(random: context.random())
                    }
                case .wait(let position, let limit):
                    do {
                        try await wait(beyond: position, atMost: limit, &memory)
                        trouble.ends(part + " waiting")
                        action = runner.waited()
                    } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                        trouble.begins(part + " waiting", error)
                        action = runner.waitFailed(random: context.random())
                    }
                case .pause(let pause):
                    try await ending { [context] in try await context.sleep(for: pause) }
                    action = .step
                }
            } catch is CancellationError where isEnding {
                return .ended
            } catch is LeaseLost {
                return .lost
            }
        }
        return .ended
    }

    private var part: String { "\(partition.consumer) \(partition.slices)" }

    private func newTrouble() -> TroubleLog { TroubleLog("The consumer \(consumer.name)", context.logger) }

    private func untilRetry(_ date: Date) -> Duration {
        .seconds(min(max(0, date.timeIntervalSince(context.now())), 3600))
    }

    /// Repeats `body` until it succeeds, as long as it fails because of a store outage.
    func patiently(_ body: () async throws -> Void) async throws {
        let trouble = membership.trouble
        var failures = 0
        while true {
            do {
                try await body()
                return trouble.ends(part)
            } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                trouble.begins(part, error)
                let pause = FailurePolicy.pause(attempts: failures, random: context.random())
                failures += 1
                try await ending { [context] in try await context.sleep(for: pause) }
            }
        }
    }

    /// Runs something that only waits, until the loop should end.
    private func ending(_ wait: @escaping @Sendable () async throws -> Void) async throws {
        let signal = signal
        try await Shutdown.ending {
            try await first(
                of: wait,
                {
                    try await signal.waitForStop()
                    throw CancellationError()
                })
        }
    }

    /// Waits until there are new events that concern the consumer, the limit is reached, or the loop is told something.
    private func wait(beyond position: Position?, atMost limit: Duration?, _ memory: inout Memory) async throws {
        let (store, context, signal, tail) = (store, context, signal, tail)
        let (query, slices) = (consumer.query, slices)
        // Whoever watches the store for it may let it pass what does not concern it, which is stored after a while.
        let unsaved = memory.hasCaughtUp ? ConsumerTail.unsavedFor : nil
        let most = [limit, unsaved].compactMap(\.self).min()
        let passed = Locked<SharedTail.Passed?>(nil)
        let (progress, partition) = (memory.isLive ? consumer.checkpoints.progress : nil, partition)
        let holds = !memory.plan.streams.isEmpty
        let onPass: @Sendable (Position) -> Void = { progress?.stored(partition, $0, holds: holds) }
        var failure: (any Error)?
        do {
            try await Shutdown.ending {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    if let position {
                        group.addTask {
                            if let reached = await tail.wait(query, slices, after: position, onPass: onPass) {
                                passed.withLock { $0 = reached }
                            } else {
                                try await store.wait(beyond: position)
                            }
                        }
                    }
                    if let most { group.addTask { try await context.sleep(for: most) } }
                    group.addTask { try await signal.wait() }
                    defer { group.cancelAll() }
                    try await group.next()
                }
            }
        } catch {
            failure = error
        }
        // What was passed counts also if the wait has failed or the consumer is asked to end.
        try await pass(passed.withLock { $0 }, beyond: position, &memory)
        if let failure { throw failure }
    }

    private func pass(
        _ passed: SharedTail.Passed?, beyond position: Position?, _ memory: inout Memory
    ) async throws {
        guard let passed, let position, passed.position > position else { return }
        let checkpoint = Checkpoint(position: passed.position, eventID: passed.id, store: try await store.identity())
        memory.tail?.passed(to: checkpoint, at: context.uptime())
        progress(memory)
    }
}

/// Runs both until the first one ends, and cancels the other.
func first(
    of one: @escaping @Sendable () async throws -> Void, _ other: @escaping @Sendable () async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await one() }
        group.addTask { try await other() }
        defer { group.cancelAll() }
        try await group.next()
    }
}

private struct LeaseOverdue: Error, CustomStringConvertible {
    var description: String { "two thirds of the lease have passed since it was renewed" }
}
