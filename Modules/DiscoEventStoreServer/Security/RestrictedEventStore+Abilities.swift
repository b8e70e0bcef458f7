#if HTTP
import DiscoCore
import Foundation

extension RestrictedEventStore {
    var abilities: StoreAbilities {
        let base = base.abilities
        return StoreAbilities(
            catalog: base.catalog.map { Catalog(base: $0, view: self) },
            deletion: base.deletion.map { Deletion(base: $0, view: self) },
            snapshots: base.snapshots.map { Snapshots(base: $0, view: self) },
            verification: base.verification.map { Verification(base: $0, view: self) },
            keys: base.keys.map { Keys(base: $0, view: self) },
            counting: base.counting.map { Counting(base: $0, view: self) })
    }

    private struct Catalog: StreamCatalog {
        let base: any StreamCatalog
        let view: RestrictedEventStore

        func streams(category: String?, prefix: String?, after: StreamID?, limit: Int) async throws -> [StreamInfo] {
            try NameCheck.argument.check(category: category, prefix: prefix, after: after)
            var streams: [StreamInfo] = []
            for prefix in view.prefixes.narrowed(prefix) where streams.count < limit {
                streams += try await base.streams(
                    category: category, prefix: prefix, after: after, limit: limit - streams.count)
            }
            return streams.filter { view.prefixes.contains($0.stream) }
        }

        func event(_ id: UUID) async throws -> RecordedEvent? {
            try await base.event(id).flatMap { view.prefixes.contains($0.stream) ? $0 : nil }
        }
    }

    private struct Deletion: StreamDeletion {
        let base: any StreamDeletion
        let view: RestrictedEventStore

        func isDeleted(_ stream: StreamID) async throws -> Bool {
            try view.require(stream)
            return try await base.isDeleted(stream)
        }

        func delete(_ stream: StreamID) async throws {
            try view.require(stream)
            try await base.delete(stream)
        }

        func restore(_ stream: StreamID) async throws {
            try view.require(stream)
            try await base.restore(stream)
        }

        func erase(_ stream: StreamID, close: Bool) async throws {
            try view.require(stream)
            try await base.erase(stream, close: close)
        }
    }

    private struct Snapshots: SnapshotStore {
        let base: any SnapshotStore
        let view: RestrictedEventStore

        func snapshot(_ key: SnapshotKey) async throws -> Snapshot? {
            try view.require(key.stream)
            return try await base.snapshot(key)
        }

        func save(_ snapshot: Snapshot) async throws {
            try view.require(snapshot.key.stream)
            try await base.save(snapshot)
        }

        func delete(_ key: SnapshotKey) async throws {
            try view.require(key.stream)
            try await base.delete(key)
        }
    }

    private struct Keys: IdempotencyKeyStore {
        let base: any IdempotencyKeyStore
        let view: RestrictedEventStore

        func recorded(under key: IdempotencyKey) async throws -> Appended? {
            try NameCheck.argument.check(key)
            do {
                return try await base.recorded(under: view.scopedKey(key)).flatMap { view.contains($0) ? $0 : nil }
            } catch is IdempotencyConflict {
                throw IdempotencyConflict(key: key.key)
            }
        }

        func forgetKeys(storedBefore date: Date, ofPolicies: Bool) async throws -> Int {
            try view.caller.requireAllStreams(to: "forget idempotency keys")
            return try await base.forgetKeys(storedBefore: date, ofPolicies: ofPolicies)
        }
    }

    private struct Verification: StoreVerification {
        let base: any StoreVerification
        let view: RestrictedEventStore

        func verify(after position: Position, limit: Int) async throws -> VerifiedPage {
            try view.caller.requireAllStreams(to: "verify the store")
            return try await base.verify(after: position, limit: limit)
        }
    }

    private struct Counting: EventCounting {
        let base: any EventCounting
        let view: RestrictedEventStore

        func events(after: Position, upTo: Position) async throws -> Int {
            try view.caller.requireAllStreams(to: "count events")
            return try await base.events(after: after, upTo: upTo)
        }
    }
}
#endif
