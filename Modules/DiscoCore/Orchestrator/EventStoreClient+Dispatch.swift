extension EventStoreClient {
    /// After ``OutcomeUnknown``, does not decide again but repeats the same append to find out whether it was recorded.
    /// Only a refusal proves that it was not; after any other error the outcome is still unknown.
    func appendSurely(_ append: Append) async throws -> Appended {
        do {
            return try await store.append(append)
        } catch let unknown as OutcomeUnknown {
            do {
                return try await store.append(append)
            } catch let conflict as VersionConflict {
                throw conflict
            } catch let failed as ConditionFailed {
                throw failed
            } catch let deleted as StreamDeleted {
                throw deleted
            } catch let conflict as IdempotencyConflict {
                throw conflict
            } catch {
                throw unknown
            }
        }
    }

    /// Folds what was recorded after `loaded`; from the start if what it was folded from can no longer be read.
    @concurrent func readOn<State: Aggregate>(_ loaded: inout Loaded<State>, to last: Int = .max) async throws {
        // Starts with the last known event: if that does not come first, it was deleted or erased.
        let known = loaded.version
        let uptime = context.uptime
        let start = uptime()
        defer { loaded.unsaved.time = max(loaded.unsaved.time, uptime() - start) }
        var confirmed = known == 0
        for try await event in everything(in: loaded.stream, from: max(1, known), to: last) {
            if !confirmed, event.version != known { break }
            confirmed = true
            if event.version > known { try loaded.apply(event) }
        }
        if confirmed { return }
        loaded = Loaded(id: loaded.state.id)
        for try await event in everything(in: loaded.stream, from: 1, to: last) { try loaded.apply(event) }
    }

    /// A stream's events, including dropped ones.
    private func everything(in stream: StreamID, from first: Int, to last: Int) -> EventSequence {
        guard first <= last else { return EventSequence(store: store, read: Read(.stream(stream)), limit: 0) }
        var read = Read(.stream(stream), versions: first...last)
        read.showsDropped = true
        return EventSequence(store: store, read: read, limit: nil)
    }

    /// The consumers that have not passed all of `positions` in time; empty if all have.
    ///
    /// A consumer that holds one of the events has passed it without its effect, so it counts as behind.
    func behind(
        _ consumers: [(name: String, store: any CheckpointStore)], at positions: [ClosedRange<Position>],
        within limit: Duration
    ) async -> [ConsumerLag] {
        let context = context
        let end = context.uptime() + limit.bounded
        var pause = Duration.milliseconds(1)
        let awaited = positions.map(\.upperBound).max() ?? .start
        var lags = consumers.map { ConsumerLag(consumer: $0.name, awaited: awaited) }
        await pass(&lags, consumers, awaited, within: limit)
        if lags.allSatisfy(\.isDone) { return [] }
        var hasWished = false
        while true {
            for index in lags.indices where !lags[index].isDone {
                await lags[index].look(at: consumers[index].store, positions, store)
            }
            if lags.allSatisfy(\.isDone) { return [] }
            let now = context.uptime()
            if now >= end || Task.isCancelled {
                lags.removeAll(where: \.isDone)
                for index in lags.indices { await lags[index].count(by: store.abilities.counting) }
                return lags
            }
            if pause > .milliseconds(10), !hasWished {
                hasWished = true
                // What does not concern a consumer is stored after a while only, unless somebody waits for it.
                for index in lags.indices where !lags[index].isDone && lags[index].problem == nil {
                    try? await consumers[index].store.administer(consumers[index].name, .store)
                }
            }
            // If the task is cancelled, the sleep ends early, and so does the loop.
            try? await context.sleep(for: min(pause, end - now))
            pause = min(pause * 2, .milliseconds(50))
        }
    }
}

extension EventStoreClient {
    /// Waits for consumers that run in this process, which tell when they have passed a position.
    private func pass(
        _ lags: inout [ConsumerLag], _ consumers: [(name: String, store: any CheckpointStore)], _ awaited: Position,
        within limit: Duration
    ) async {
        let context = context
        let end = context.uptime() + limit.bounded
        for index in lags.indices {
            guard let progress = consumers[index].store.progress else { continue }
            let name = consumers[index].name
            let left = end - context.uptime()
            let late = EventStoreError(.busy, "")
            let isPassed = try? await context.limited(to: left, late) {
                try await progress.wait(for: name, beyond: awaited)
            }
            if isPassed == true { lags[index].pass() }
        }
    }
}

extension Appended {
    /// Whether another append under the same key recorded this.
    func isOfAnother(than append: Append) -> Bool {
        repeated && (events.isEmpty || events.first?.id != append.events.first?.id)
    }

    /// The positions from its first to its last event.
    var positions: ClosedRange<Position>? {
        guard let first, let last else { return nil }
        return first...last
    }
}
