import DiscoCore

extension ConsumerLoop {
    /// Creates the read model's tables, stores where a new consumer starts, and checks that the checkpoint lies in this
    /// store's history.
    func prepare() async throws {
        if case .projection(let projection, let readModels) = consumer.work {
            try await readModels.setUp { transaction in try projection.setUp(transaction) }
        }
        let checkpoint = try await consumer.checkpoints.checkpoint(of: consumer.name)
        if checkpoint == .start {
            _ = try await begin()
            return
        }
        let page = try await store.page(Read(after: checkpoint.position, limit: 0))
        let identity = try await store.identity()
        let sameStore = checkpoint.store == nil || checkpoint.store == identity
        // A store that shows only some of its events may not tell the id of another.
        let isKnown = page.throughID == nil || page.throughID == checkpoint.eventID
        guard sameStore, page.head >= checkpoint.position, isKnown else {
            throw CheckpointDiverged(consumer: consumer.name, checkpoint: checkpoint.position, head: page.head)
        }
    }

    /// Where a consumer without a checkpoint starts; if its start time has not come, the position after which it may
    /// come.
    func begin() async throws -> ConsumerStart.Place {
        let place = try await consumer.start.place(in: store)
        guard case .at(let checkpoint) = place, checkpoint != .start else { return place }
        do {
            try await consumer.checkpoints.save(ConsumerStep(partition: partition, from: .start, to: checkpoint))
            return place
        } catch let error as EventStoreError where error.code == .checkpointMoved {
            // Another process started at the same time; its checkpoint counts.
            return .at(try await consumer.checkpoints.checkpoint(of: consumer.name))
        }
    }
}
