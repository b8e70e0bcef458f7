import DiscoCore

extension EventStoreConformance {
    private func withSnapshots(
        _ body: @Sendable (any SnapshotStore, (Int, String) -> Snapshot) async throws -> Void
    ) async throws {
        try await withStore { client in
            let snapshots = try demand(client.store.abilities.snapshots, "snapshots")
            try await body(snapshots) { version, fingerprint in
                let key = SnapshotKey(stream: "wallet-é", name: "Wallet", fingerprint: fingerprint)
                return Snapshot(key: key, version: version, state: JSONText(["version": JSON(integerLiteral: version)]))
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
        Case("H44", "of snapshots written at once the newest stays") { suite in
            try await suite.withSnapshots { store, snapshot in
                let snapshots = (1...40).map { snapshot($0, "f") }.shuffled()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for snapshot in snapshots { group.addTask { try await store.save(snapshot) } }
                    try await group.waitForAll()
                }
                try requireEqual(try await store.snapshot(snapshots[0].key)?.version, 40, "version")
            }
        },
    ]
}
