import Foundation
import Logging

/// Saves and finds the snapshots of one kind of aggregate. A faulty snapshot costs time, never correctness: it is
/// skipped with a warning, and the events are folded.
struct AggregateSnapshots<State: Aggregate>: Sendable {
    private let store: (any SnapshotStore)?
    private let logger: Logger?
    private let fingerprint: String

    init(_ client: EventStoreClient, logger: Logger?) {
        // Without a policy, the store is not asked for snapshots.
        self.logger = logger
        if State.snapshotPolicy.isNever {
            (store, fingerprint) = (nil, "")
            return
        }
        let reading = State.shape
        fingerprint = "\(State.stateVersion):\(reading.shape.fingerprint)"
        // The unseen part of a shape may change unnoticed, and a snapshot of another shape be taken for one of this.
        store = reading.unreadable.isEmpty ? client.store.abilities.snapshots : nil
        if !reading.unreadable.isEmpty {
            let remedy = Shape.remedy(for: reading.unreadable)
            logger?.warning("\(State.self) has no snapshots: its shape cannot be determined because of \(remedy)")
        } else if store == nil {
            logger?.warning(
                """
                \(State.self) has a snapshot policy, but this store does not support snapshots. Change the store or the \
                policy.
                """)
        }
    }

    private func key(_ stream: StreamID) -> SnapshotKey {
        SnapshotKey(stream: stream, name: "\(State.self)", fingerprint: fingerprint)
    }

    /// The last snapshot if it is not beyond `version`, otherwise the state before the first event.
    func begin(_ id: State.ID, upTo version: Int = .max) async throws -> Loaded<State> {
        let none = Loaded<State>(id: id)
        guard let store else { return none }
        do {
            guard let snapshot = try await store.snapshot(key(none.stream)), snapshot.version > 0,
                snapshot.version <= version
            else { return none }
            let state = try snapshot.state.decode(State.self)
            guard State.streamID(state.id) == none.stream else {
                warn(
                    "Ignored the snapshot of \(none.stream): it is of another aggregate, \(State.streamID(state.id))."
                )
                return none
            }
            return Loaded(state: state, version: snapshot.version)
        } catch let error as CancellationError {
            throw error
        } catch {
            warn("Ignored the snapshot of \(none.stream): \(error)")
            return none
        }
    }

    /// Saves a snapshot of the state if one is due.
    func keep(_ loaded: inout Loaded<State>) async {
        guard let store, State.snapshotPolicy.isDue(loaded.unsaved) else { return }
        do {
            let state = try JSONText(encoding: loaded.state)
            try await store.save(Snapshot(key: key(loaded.stream), version: loaded.version, state: state))
            loaded.unsaved = FoldCost()
        } catch is CancellationError {
            // The next dispatch saves it.
        } catch {
            warn("The snapshot of \(loaded.stream) was not saved: \(error)")
        }
    }

    private func warn(_ message: @autoclosure () -> String) { logger?.warning("\(message())") }
}

extension Aggregate {
    /// Read with the state before the first event as the seed, which has a value of each of its types.
    static var shape: Shape.Reading {
        let none = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        return Shape.read(Self.self, seed: try? JSON(encoding: Self(id: .new(from: none))))
    }
}
