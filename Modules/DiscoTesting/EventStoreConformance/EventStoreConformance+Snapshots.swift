import DiscoCore

extension EventStoreConformance {
    private func withSnapshots(
        _ body: @Sendable (any SnapshotStore, (Int, String) -> Snapshot) async throws -> Void
    ) async throws {
        try await withStore { client in
            let snapshots = try demand(client.store.abilities.snapshots, "snapshots")
            try await client.append(Append((0..<40).map { _ in event("wallet-é") }))
            try await body(snapshots) { version, fingerprint in
                let key = SnapshotKey(stream: "wallet-é", name: "Wallet", fingerprint: fingerprint)
                return Snapshot(key: key, version: version, state: JSONText(["version": JSON(version)]))
            }
        }
    }

    static let snapshotCases: [Case] = [
        Case("H44", "a snapshot is written, read, replaced and deleted; a missing one is nil") { suite in
            try await suite.withSnapshots { store, snapshot in
                let (first, second, other) = (snapshot(1, "f"), snapshot(2, "f"), snapshot(7, "g"))
                try requireEqual(try await store.snapshot(first.key), nil, "missing snapshot")
                try await store.save(first)
                try await store.save(other)
                try requireEqual(try await store.snapshot(first.key), first, "snapshot")
                try await store.save(second)
                try requireEqual(try await store.snapshot(first.key), second, "replaced snapshot")
                try requireEqual(try await store.snapshot(other.key), other, "snapshot of another shape")
                try await store.delete(first.key)
                try requireEqual(try await store.snapshot(first.key), nil, "deleted snapshot")
                try await store.delete(first.key)
                try requireEqual(try await store.snapshot(other.key), other, "snapshot of another shape")
            }
        },
        Case("H44", "a snapshot of missing or erased events is not stored") { suite in
            try await suite.withStore(Options(allowsErasing: true)) { client in
                let snapshots = try demand(client.store.abilities.snapshots, "snapshots")
                _ = try demand(client.store.abilities.deletion, "stream deletion")
                func snapshot(_ version: Int) -> Snapshot {
                    let key = SnapshotKey(stream: "a-1", name: "A", fingerprint: "f")
                    return Snapshot(key: key, version: version, state: "{}")
                }
                try await client.append(Append([event("a-1"), event("a-1")]))
                try await snapshots.save(snapshot(3))
                try requireEqual(try await snapshots.snapshot(snapshot(3).key), nil, "snapshot of a later version")
                try await snapshots.save(snapshot(2))
                try requireEqual(try await snapshots.snapshot(snapshot(2).key)?.version, 2, "version")
                try await client.erase("a-1", close: false)
                try requireEqual(try await snapshots.snapshot(snapshot(2).key), nil, "snapshot of an erased stream")
                try await snapshots.save(snapshot(2))
                try requireEqual(try await snapshots.snapshot(snapshot(2).key), nil, "snapshot saved after erasing")
                try await client.append(Append([event("a-1")]))
                try await snapshots.save(snapshot(3))
                try requireEqual(try await snapshots.snapshot(snapshot(3).key)?.version, 3, "version")
            }
        },
        Case("H44", "of snapshots written concurrently, the newest is kept") { suite in
            try await suite.withSnapshots { store, snapshot in
                let snapshots = (1...40).map { snapshot($0, "f") }.shuffled()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for snapshot in snapshots { group.addTask { try await store.save(snapshot) } }
                    try await group.waitForAll()
                }
                try requireEqual(try await store.snapshot(snapshots[0].key)?.version, 40, "version")
            }
        },
        Case("H45", "a snapshot of another shape or state version, or an undecodable one, is ignored") { suite in
            try await suite.withStore { client in
                let snapshots = KeptSnapshots(base: try demand(client.store.abilities.snapshots, "snapshots"))
                let seen = EventStoreClient(StoreWithSnapshots(base: client.store, snapshots: snapshots))
                for number in 1...25 { try requireEqual(try await Counter.count(seen), number, "value") }
                guard let kept = snapshots.saved.last else {
                    throw ConformanceFailure(message: "no snapshot was saved", file: #fileID, line: #line)
                }
                try requireEqual(kept.version, 20, "version of the snapshot")
                try requireEqual(try await snapshots.snapshot(kept.key)?.version, 20, "version of the snapshot")
                for state in [#"{"id": "a", "value": "many"}"#, "[]", #"{"id": "b", "value": 7}"#] as [JSONText] {
                    try await snapshots.delete(kept.key)
                    try await snapshots.base.save(Snapshot(key: kept.key, version: 22, state: state))
                    let value = try await Counter.count(seen)
                    try requireEqual(
                        value, try await client.version(of: "counter-a"), "value despite the snapshot \(state)")
                }
                // A snapshot of another shape or version has a key that no read asks for.
                var other = kept.key
                other.fingerprint = "2" + other.fingerprint
                try await snapshots.delete(kept.key)
                try await snapshots.base.save(
                    Snapshot(key: other, version: 24, state: #"{"id": "a", "value": 1000}"#))
                try requireEqual(try await Counter.count(seen), 29, "value despite a snapshot of another version")
            }
        },
    ]
}

private struct Counter: Aggregate {
    let id: String
    var value = 0

    init(id: String) { self.id = id }

    static let commands: [any AggregateCommand<Counter>.Type] = [Count.self]
    static let snapshotPolicy = SnapshotPolicy.every(events: 20)

    enum Event: DomainEvent { case counted }

    mutating func apply(_ event: Event) { value += 1 }

    /// Counts once more with a new orchestrator, which has not seen the aggregate.
    static func count(_ client: EventStoreClient) async throws -> Int {
        let orchestrator = Orchestrator(client: client, aggregates: [Counter.self])
        let dispatched = try await orchestrator.dispatch(Count(id: "a"))
        return dispatched.state.value
    }
}

private struct Count: TimelessCommand {
    let id: String
    var target: CommandTarget<String> { .any(id) }
    func run(on counter: Counter) -> [Counter.Event] { [.counted] }
}

/// Records the snapshots that are saved.
private final class KeptSnapshots: SnapshotStore {
    let base: any SnapshotStore
    private let kept = Locked<[Snapshot]>([])

    init(base: any SnapshotStore) { self.base = base }

    var saved: [Snapshot] { kept.withLock { $0 } }

    func snapshot(_ key: SnapshotKey) async throws -> Snapshot? { try await base.snapshot(key) }

    func save(_ snapshot: Snapshot) async throws {
        kept.withLock { $0.append(snapshot) }
        try await base.save(snapshot)
    }

    func delete(_ key: SnapshotKey) async throws { try await base.delete(key) }
}

private struct StoreWithSnapshots: EventStore {
    let base: any EventStore
    let snapshots: KeptSnapshots

    var abilities: StoreAbilities {
        var abilities = base.abilities
        abilities.snapshots = snapshots
        return abilities
    }

    func append(_ append: Append) async throws -> Appended { try await base.append(append) }
    func page(_ read: Read) async throws -> Page { try await base.page(read) }
    func wait(beyond position: Position) async throws { try await base.wait(beyond: position) }
    func identity() async throws -> StoreIdentity { try await base.identity() }
    func close() async { await base.close() }
}
