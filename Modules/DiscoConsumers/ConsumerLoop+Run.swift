import DiscoCore
import Foundation

extension ConsumerLoop {
    /// Steps and waits until the task is cancelled or shut down.
    func run() async throws {
        var memory = newMemory()
        do {
            try await run(&memory)
        } catch {
            try? await flush(&memory)
            throw error
        }
        // What was read need not be read again.
        try? await flush(&memory)
    }

    private func run(_ memory: inout Memory) async throws {
        var runner = ConsumerRunner()
        var (stepping, waiting) = (newTrouble(), newTrouble())
        var action = ConsumerRunner.Action.step
        while !Shutdown.isAsked {
            do {
                switch action {
                case .step:
                    do {
                        let step = try await step(&memory) { try await patiently($0) }
                        stepping.ends("is running again")
                        action = runner.stepped(
                            to: step.position, step.next, retryIn: step.nextRetry.map(untilRetry),
                            saveIn: memory.tail?.savesIn(at: context.uptime()))
                    } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                        stepping.begins("cannot use its stores and is retrying", error)
                        action = runner.stepFailed(random: context.random())
                    }
                case .wait(let position, let limit):
                    do {
                        if try await wait(beyond: position, atMost: limit, memory.changes) { memory.forget() }
                        waiting.ends("is running again")
                        action = runner.waited()
                    } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                        waiting.begins("cannot use its stores and is retrying", error)
                        action = runner.waitFailed(random: context.random())
                    }
                case .pause(let pause):
                    try await Shutdown.ending { [context] in try await context.sleep(for: pause) }
                    action = .step
                }
            } catch is CancellationError where Shutdown.isAsked {
                return
            }
        }
    }

    private func newTrouble() -> TroubleLog { TroubleLog("The consumer \(consumer.name)", context.logger) }

    private func untilRetry(_ date: Date) -> Duration {
        .seconds(min(max(0, date.timeIntervalSince(context.now())), 3600))
    }

    /// Repeats `body` until it succeeds, as long as it fails because of a store outage.
    func patiently(_ body: () async throws -> Void) async throws {
        var trouble = newTrouble()
        var failures = 0
        while true {
            do {
                try await body()
                return trouble.ends("is running again")
            } catch let error as EventStoreError where FailurePolicy.isOutage(error) {
                trouble.begins("cannot use its stores and is retrying", error)
                let pause = FailurePolicy.pause(attempts: failures, random: context.random())
                failures += 1
                try await Shutdown.ending { [context] in try await context.sleep(for: pause) }
            }
        }
    }

    /// Waits until there are new events, the limit is reached, or someone else has changed the consumer's stored state;
    /// returns true for the last.
    private func wait(
        beyond position: Position?, atMost limit: Duration?, _ changes: ConsumerChanges.Iterator?
    ) async throws -> Bool {
        let (store, context) = (store, context)
        return try await Shutdown.ending {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                if let position {
                    group.addTask {
                        try await store.wait(beyond: position)
                        return false
                    }
                }
                if let limit {
                    group.addTask {
                        try await context.sleep(for: limit)
                        return false
                    }
                }
                if let changes {
                    group.addTask {
                        var changes = changes
                        try await changes.next()
                        return true
                    }
                }
                defer { group.cancelAll() }
                return try await group.next() ?? false
            }
        }
    }
}
