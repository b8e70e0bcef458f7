/// Dispatches the commands of one kind of aggregate.
final class AggregateHost<State: Aggregate>: Sendable {
    private let client: EventStoreClient
    private let attempts: Int
    private let cache: Locked<AggregateCache<State>>
    /// By stream, not by id: Swift strings treat é and e with a combining accent as one id, but their streams are two.
    private let queue = KeyedQueue<StreamID>()

    private let snapshots: AggregateSnapshots<State>

    init(client: EventStoreClient, settings: Orchestrator.Settings) {
        self.client = client
        attempts = settings.attempts
        cache = Locked(AggregateCache(capacity: settings.cachedAggregates))
        snapshots = AggregateSnapshots(client, logger: client.context.logger)
    }

    /// The aggregate as currently recorded.
    func current(_ id: State.ID) async throws -> Loaded<State> {
        var loaded: Loaded<State>
        if let cached = cached(id) { loaded = cached } else { loaded = try await snapshots.begin(id) }
        try await client.readOn(&loaded)
        await snapshots.keep(&loaded)
        // Ids without an aggregate must not evict those of existing aggregates.
        if loaded.exists { remember(loaded) } else { forget(id) }
        return loaded
    }

    private func cached(_ id: State.ID) -> Loaded<State>? { cache.withLock { $0[State.streamID(id)] } }
    private func remember(_ loaded: Loaded<State>) { cache.withLock { $0[loaded.stream] = loaded } }
    private func forget(_ id: State.ID) { cache.withLock { $0[State.streamID(id)] = nil } }

    func dispatch<C: AggregateCommand<State>>(_ command: C, _ call: Call) async throws -> Dispatched<State> {
        let key = try call.key.map { try IdempotencyKey($0, for: command) }
        if let fault = command.target.id.flatMap({ State.streamID($0).faultOfID }) {
            throw ValidationError(["id": [fault]])
        }
        if let first = try await recorded(under: key, command) { return first }
        let id = command.target.id ?? .new(from: client.context.newID())
        return try await queue.run(State.streamID(id)) { try await decide(command, id, key, call.metadata) }
    }

    private func decide<C: AggregateCommand<State>>(
        _ command: C, _ id: State.ID, _ key: IdempotencyKey?, _ metadata: Metadata
    ) async throws -> Dispatched<State> {
        // A refusal, or nothing to do, is final only on state read from the store in this dispatch: nothing else checks
        // it.
        var fresh = false
        var loaded: Loaded<State>
        if let cached = cached(id) {
            loaded = cached
        } else {
            loaded = try await current(id)
            fresh = true
        }
        var conflicts = 0
        while true {
            let events: [State.Event]
            do {
                try command.target.check(exists: loaded.exists, stream: loaded.stream)
                events = try command.run(on: loaded.state, at: client.context.now())
            } catch {
                if fresh {
                    // The error may come from this command's own first run.
                    if let first = try await recorded(under: key, command) { return first }
                    throw error
                }
                loaded = try await current(id)
                fresh = true
                continue
            }
            if events.isEmpty, key == nil {
                if fresh { return Dispatched(loaded.state, version: loaded.version, conflicts: conflicts) }
                loaded = try await current(id)
                fresh = true
                continue
            }
            do {
                return try await record(events, loaded, command, key, metadata, conflicts)
            } catch let conflict as VersionConflict where conflicts + 1 < attempts {
                conflicts += 1
                try await catchUp(&loaded, conflict)
                fresh = true
            } catch {
                forget(id)
                throw error
            }
        }
    }

    private func record<C: AggregateCommand<State>>(
        _ events: [State.Event], _ loaded: Loaded<State>, _ command: C, _ key: IdempotencyKey?, _ metadata: Metadata,
        _ conflicts: Int
    ) async throws -> Dispatched<State> {
        let stream = loaded.stream
        let append = Append(
            try events.map { try $0.recorded(in: stream, metadata: metadata) },
            expect: [stream: .exactly(loaded.version)], key: key)
        let appended = try await client.appendSurely(append)
        if appended.isOfAnother(than: append) { return try await replay(appended, command) }
        var after = loaded
        for (event, new) in zip(events, append.events) {
            after.state.apply(event)
            after.unsaved.events += 1
            after.unsaved.bytes += new.payload.bytes.count
        }
        after.version = appended.version(of: stream) ?? loaded.version
        await snapshots.keep(&after)
        remember(after)
        return Dispatched(
            after.state, decided: events, version: after.version, appended: [appended], conflicts: conflicts)
    }

    private func recorded<C: AggregateCommand<State>>(
        under key: IdempotencyKey?, _ command: C
    ) async throws -> Dispatched<State>? {
        guard let key, let appended = try await client.recorded(under: key) else { return nil }
        return try await replay(appended, command)
    }

    /// The first result again: the state folded to the version recorded then.
    @concurrent private func replay<C: AggregateCommand<State>>(
        _ appended: Appended, _ command: C
    ) async throws -> Dispatched<State> {
        guard let last = appended.events.last, let id = State.ID(string: last.stream.id) else {
            // The first run recorded nothing, so there is only the current state to return.
            let loaded = try await current(command.target.id ?? .new(from: client.context.newID()))
            return Dispatched(loaded.state, version: loaded.version, appended: [appended], repeated: true)
        }
        var loaded = try await snapshots.begin(id, upTo: last.version)
        try await client.readOn(&loaded, to: last.version)
        var events: [State.Event] = []
        let first = appended.events[0].version
        for try await event in client.events(in: last.stream, from: first, to: last.version) {
            events.append(try State.Event(event))
        }
        return Dispatched(
            loaded.state, decided: events, version: loaded.version, appended: [appended], repeated: true)
    }

    private func catchUp(_ loaded: inout Loaded<State>, _ conflict: VersionConflict) async throws {
        guard let stream = conflict.streams.first(where: { $0.stream == loaded.stream }), stream.complete,
            stream.actual > loaded.version
        else {
            return try await client.readOn(&loaded)
        }
        for event in stream.unseen { try loaded.apply(event) }
        // `unseen` does not contain dropped events, so the last version is set here.
        loaded.version = stream.actual
    }
}
