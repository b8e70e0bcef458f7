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
        let (shape, unreadable) = Shape.read(State.self)
        fingerprint = "\(State.stateVersion):\(shape.fingerprint)"
        // What is not seen of a shape may change unnoticed, and a snapshot of another shape be taken for one of this.
        store = unreadable.isEmpty ? client.store.abilities.snapshots : nil
        if !unreadable.isEmpty {
            logger?.warning(
                "\(State.self) has no snapshots: its shape cannot be told behind \(unreadable.joined(separator: ", ")). Conform that to ExampleProviding."
            )
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
