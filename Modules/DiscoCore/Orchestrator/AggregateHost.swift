/// Dispatches the commands of one kind of aggregate.
final class AggregateHost<State: Aggregate>: Sendable {
    private let client: EventStoreClient
    private let attempts: Int
    private let cache: Locked<AggregateCache<State>>
    /// By stream and not by id: to Swift's strings é and e with a combining accent are one id, and their streams are two.
    private let queue = KeyedQueue<StreamID>()

    init(client: EventStoreClient, settings: Orchestrator.Settings) {
        self.client = client
        attempts = settings.attempts
        cache = Locked(AggregateCache(capacity: settings.cachedAggregates))
    }

    /// The aggregate as it is recorded now.
    func current(_ id: State.ID) async throws -> Loaded<State> {
        var loaded = cache.withLock { $0[State.stream(id)] } ?? Loaded(id: id)
        try await client.readOn(&loaded)
        cache.withLock { [loaded] in $0[State.stream(id)] = loaded }
        return loaded
    }

    func dispatch<C: AggregateCommand<State>>(_ command: C, metadata: Metadata) async throws -> Dispatched<State> {
        try command.validated()
        let id: State.ID =
            switch command.target {
            case .new(let id): id ?? .new(from: .timeOrdered())
            case .existing(let id), .any(let id): id
            }
        return try await queue.run(State.stream(id)) { try await decide(command, id, metadata) }
    }

    private func decide<C: AggregateCommand<State>>(
        _ command: C, _ id: State.ID, _ metadata: Metadata
    ) async throws -> Dispatched<State> {
        var loaded: Loaded<State>
        // A refusal, or nothing to do, is final only on state read from the store in this dispatch: nobody else checks it.
        var fresh = false
        if let cached = cache.withLock({ $0[State.stream(id)] }) {
            loaded = cached
        } else {
            loaded = Loaded(id: id)
            try await client.readOn(&loaded)
            fresh = true
        }
        var conflicts = 0
        while true {
            let events: [State.Event]
            do {
                try command.target.check(exists: loaded.exists, stream: loaded.stream)
                events = try command.run(on: loaded.state)
            } catch {
                if fresh { throw error }
                try await client.readOn(&loaded)
                fresh = true
                continue
            }
            if events.isEmpty {
                if fresh { return Dispatched(loaded: loaded, events: [], position: nil, conflicts: conflicts) }
                try await client.readOn(&loaded)
                fresh = true
                continue
            }
            do {
                return try await record(events, loaded, metadata, conflicts)
            } catch let conflict as VersionConflict where conflicts + 1 < attempts {
                conflicts += 1
                try await catchUp(&loaded, conflict)
                fresh = true
            } catch {
                cache.withLock { $0[State.stream(id)] = nil }
                throw error
            }
        }
    }

    private func record(
        _ events: [State.Event], _ loaded: Loaded<State>, _ metadata: Metadata, _ conflicts: Int
    ) async throws -> Dispatched<State> {
        let stream = loaded.stream
        let append = Append(
            try events.map { try $0.recorded(in: stream, metadata: metadata) },
            expect: [stream: .exactly(loaded.version)])
        let appended: Appended
        do {
            appended = try await client.append(append)
        } catch let unknown as OutcomeUnknown {
            appended = try await again(append, unknown)
        }
        var after = loaded
        for event in events { after.state.apply(event) }
        after.version = appended.version(of: stream) ?? loaded.version
        cache.withLock { [after] in $0[stream] = after }
        return Dispatched(loaded: after, events: events, position: appended.last, conflicts: conflicts)
    }

    /// Never decided anew: the very same append finds out whether it was recorded. Only a refusal says that it was not; after
    /// any other error that is as unknown as before.
    private func again(_ append: Append, _ unknown: OutcomeUnknown) async throws -> Appended {
        do {
            return try await client.append(append)
        } catch let conflict as VersionConflict {
            throw conflict
        } catch let deleted as StreamDeleted {
            throw deleted
        } catch {
            throw unknown
        }
    }

    private func catchUp(_ loaded: inout Loaded<State>, _ conflict: VersionConflict) async throws {
        guard let stream = conflict.streams.first(where: { $0.stream == loaded.stream }), stream.complete,
            stream.actual > loaded.version
        else {
            loaded = Loaded(id: loaded.state.id)
            return try await client.readOn(&loaded)
        }
        for event in stream.unseen { try loaded.apply(event) }
    }
}

extension EventStoreClient {
    /// Folds what was recorded after `loaded`; anew, where what it was folded from can no longer be read.
    @concurrent func readOn<State: Aggregate>(_ loaded: inout Loaded<State>) async throws {
        // Beginning with the last event that is known: where it does not come first, it was deleted or erased.
        let known = loaded.version
        var confirmed = known == 0
        for try await event in stream(loaded.stream, from: max(1, known)) {
            if !confirmed, event.version != known { break }
            confirmed = true
            try loaded.apply(event)
        }
        if confirmed { return }
        loaded = Loaded(id: loaded.state.id)
        for try await event in stream(loaded.stream) { try loaded.apply(event) }
    }
}

/// What became of a command.
public struct Dispatched<State: Aggregate>: Sendable {
    /// After the events.
    public let state: State
    /// Empty where there was nothing to do.
    public let events: [State.Event]
    /// The version of the aggregate's stream.
    public let version: Int
    /// That of the last event, nil where there was nothing to do.
    public let position: Position?
    /// How often it was decided anew because the aggregate had changed meanwhile.
    public let conflicts: Int

    init(loaded: Loaded<State>, events: [State.Event], position: Position?, conflicts: Int) {
        state = loaded.state
        version = loaded.version
        self.events = events
        self.position = position
        self.conflicts = conflicts
    }
}
