import Foundation
import Logging

/// Keeps and finds the snapshots of one kind of aggregate. Whatever is wrong with one costs time, never correctness: it
/// is passed over with a warning, and the events are folded.
struct AggregateSnapshots<State: Aggregate>: Sendable {
    private let store: (any SnapshotStore)?
    private let logger: Logger?
    private let fingerprint: String

    init(_ client: EventStoreClient, logger: Logger?) {
        // A store that keeps none is not asked for any.
        self.logger = logger
        if State.snapshotPolicy.isNever {
            (store, fingerprint) = (nil, "")
            return
        }
        let reading = State.shape
        fingerprint = "\(State.stateVersion):\(reading.shape.fingerprint)"
        // What is not seen of a shape may change unnoticed, and a snapshot of another shape be taken for one of this.
        store = reading.unreadable.isEmpty ? client.store.abilities.snapshots : nil
        if !reading.unreadable.isEmpty {
            let remedy = Shape.remedy(for: reading.unreadable)
            logger?.warning("\(State.self) has no snapshots: its shape cannot be told behind \(remedy)")
        } else if store == nil {
            logger?.warning(
                "\(State.self) wants snapshots, and this store keeps none: take another, or let its policy be .never.")
        }
    }

    private func key(_ stream: StreamID) -> SnapshotKey {
        SnapshotKey(stream: stream, name: "\(State.self)", fingerprint: fingerprint)
    }

    /// The state before its first event, or as it was kept last, where that is not beyond `version`.
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
                    "The snapshot of \(none.stream) is of another aggregate, \(State.streamID(state.id)). It is ignored."
                )
                return none
            }
            return Loaded(state: state, version: snapshot.version)
        } catch let error as CancellationError {
            throw error
        } catch {
            warn("The snapshot of \(none.stream) is ignored: \(error)")
            return none
        }
    }

    /// Keeps the state, where it is time to.
    func keep(_ loaded: inout Loaded<State>) async {
        guard let store, State.snapshotPolicy.isDue(loaded.unsaved) else { return }
        do {
            let state = try JSONText(encoding: loaded.state)
            try await store.save(Snapshot(key: key(loaded.stream), version: loaded.version, state: state))
            loaded.unsaved = FoldCost()
        } catch is CancellationError {
            // The next dispatch keeps it.
        } catch {
            warn("The snapshot of \(loaded.stream) was not kept: \(error)")
        }
    }

    private func warn(_ message: @autoclosure () -> String) { logger?.warning("\(message())") }
}

extension Aggregate {
    /// Read with the state before the first event at hand, which has an instance of each of its types.
    static var shape: Shape.Reading {
        let none = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        return Shape.read(Self.self, seed: try? JSON(encoding: Self(id: .new(from: none))))
    }
}
