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
    /// hand, which then comes again. Neither counts as a failed attempt. A store that cannot be reached is waited for,
    /// from the beginning on.
    ///
    /// - Throws: ``CheckpointDiverged``, or what the stores throw and does not pass by itself.
    public func run() async throws {
        do {
            for loop in loops { try await loop.patiently { try await loop.prepare() } }
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
    /// Repeats `body` until it succeeds, where what fails is a store that may come back.
    fileprivate func patiently(_ body: () async throws -> Void) async throws {
        var trouble = TroubleLog("The consumer \(consumer.name)", logger)
        var failures = 0
        while true {
            do {
                try await body()
                return trouble.ends("goes on")
            } catch let error as EventStoreError where error.mayPass {
                trouble.begins("waits for its stores", error)
                let pause = Backoff.seconds(attempts: failures)
                try await Shutdown.ending { try await Task.sleep(for: .seconds(pause)) }
                failures += 1
            }
        }
    }

    fileprivate func run() async throws {
        while !Shutdown.isAsked {
            do {
                var step: Step?
                try await patiently { step = try await self.step() }
                if let step { try await patiently { try await wait(step) } }
            } catch is CancellationError where Shutdown.isAsked {
                return
            }
        }
    }

    /// Until there are new events, or one that waits is due.
    private func wait(_ step: Step) async throws {
        let (store, position) = (store, step.position)
        // Looked at again within the hour, however far away it is.
        let pause = step.nextRetry.map { Duration.seconds(min(max(0, $0.timeIntervalSinceNow), 3600)) }
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

extension EventStoreError {
    /// Whether it may pass by itself: nothing is wrong with what was asked.
    fileprivate var mayPass: Bool { [.busy, .unavailable, .outcomeUnknown, .full].contains(code) }
}
