import DiscoCore
import Foundation
import Logging

#if ServiceLifecycle
    public import ServiceLifecycle

    extension Consumers: Service {}
#endif

extension Consumers {
    /// Runs all consumers until the task is cancelled or its service group shuts down.
    ///
    /// A graceful shutdown finishes the event in hand and saves the checkpoint; a cancelled task cancels the event in
    /// hand, which then comes again. Neither counts as a failed attempt.
    ///
    /// - Throws: ``CheckpointDiverged``, or what the stores throw and does not pass by itself.
    public func run() async throws {
        do {
            for loop in loops { try await loop.prepare() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for loop in loops { group.addTask { try await loop.run() } }
                // One that fails ends them all: what nobody tends must not go on unnoticed.
                while try await group.next() != nil {}
            }
        } catch is CancellationError where Shutdown.isAsked {
            return
        }
    }
}

extension ConsumerLoop {
    fileprivate func run() async throws {
        var failures = 0
        while !Shutdown.isAsked {
            do {
                let step = try await step()
                failures = 0
                try await wait(step)
            } catch is CancellationError where Shutdown.isAsked {
                return
            } catch let error as EventStoreError where [.busy, .unavailable, .outcomeUnknown].contains(error.code) {
                logger.warning("\(consumer.name) waits: \(error)")
                let pause = Backoff.seconds(attempts: failures)
                try? await Shutdown.ending { try await Task.sleep(for: .seconds(pause)) }
                failures += 1
            }
        }
    }

    /// Until there are new events, or one that waits is due.
    private func wait(_ step: Step) async throws {
        let (store, position) = (store, step.position)
        let pause = step.nextRetry.map { Duration.seconds(max(0, $0.timeIntervalSinceNow)) }
        switch (step.next, pause) {
        case (.more, _): return
        case (.newEvents, nil): try await Shutdown.ending { try await store.wait(beyond: position) }
        case (.newEvents, .some(let pause)):
            try await Shutdown.ending {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await store.wait(beyond: position) }
                    group.addTask { try await Task.sleep(for: pause) }
                    try await group.next()
                    group.cancelAll()
                }
            }
        case (.retries, _): try await Shutdown.ending { try await Task.sleep(for: pause ?? .seconds(1)) }
        }
    }
}
