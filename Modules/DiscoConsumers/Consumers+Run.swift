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
            // What cannot go on at all is found before anybody begins; who waits for a store keeps nobody else waiting.
            var late: Set<String> = []
            for loop in loops {
                do {
                    try await loop.prepare()
                } catch let error as EventStoreError where error.mayPass {
                    late.insert(loop.consumer.name)
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { [late] group in
                for loop in loops {
                    group.addTask {
                        if late.contains(loop.consumer.name) { try await loop.patiently { try await loop.prepare() } }
                        try await loop.run()
                    }
                }
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
        var outage = Outage(consumer.name, logger)
        while true {
            do {
                try await body()
                return outage.ends()
            } catch let error as EventStoreError where error.mayPass {
                try await outage.pause(error)
            }
        }
    }

    fileprivate func run() async throws {
        // Two, since steps may succeed while waiting does not.
        var (stepping, waiting) = (Outage(consumer.name, logger), Outage(consumer.name, logger))
        while !Shutdown.isAsked {
            do {
                let step: Step
                do {
                    step = try await self.step { try await patiently($0) }
                    stepping.ends()
                } catch let error as EventStoreError where error.mayPass {
                    try await stepping.pause(error)
                    continue
                }
                do {
                    try await wait(step)
                    waiting.ends()
                } catch let error as EventStoreError where error.mayPass {
                    try await waiting.pause(error)
                }
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

/// A time in which a consumer's stores cannot be used.
private struct Outage {
    private var trouble: TroubleLog
    private var failures = 0

    init(_ consumer: String, _ logger: Logger) { trouble = TroubleLog("The consumer \(consumer)", logger) }

    /// Says it where it begins, and waits a little longer each time.
    mutating func pause(_ error: EventStoreError) async throws {
        trouble.begins("waits for its stores", error)
        let seconds = Backoff.seconds(attempts: failures)
        failures += 1
        try await Shutdown.ending { try await Task.sleep(for: .seconds(seconds)) }
    }

    mutating func ends() {
        failures = 0
        trouble.ends("goes on")
    }
}

extension EventStoreError {
    /// Whether it may pass by itself: nothing is wrong with what was asked.
    fileprivate var mayPass: Bool { [.busy, .unavailable, .outcomeUnknown, .full].contains(code) }
}
