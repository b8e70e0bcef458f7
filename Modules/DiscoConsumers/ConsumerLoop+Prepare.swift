import DiscoCore

extension ConsumerLoop {
    /// Makes the read model's tables, begins where a new consumer is to begin, and checks that the checkpoint lies in
    /// this store's history.
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
        guard sameStore, page.head >= checkpoint.position, page.throughID == checkpoint.eventID else {
            throw CheckpointDiverged(consumer: consumer.name, checkpoint: checkpoint.position, head: page.head)
        }
    }

    /// Where a consumer is that has no checkpoint yet; where it waits for its time, the position behind which that may
    /// come.
    func begin() async throws -> ConsumerStart.Place {
        let place = try await consumer.start.place(in: store)
        guard case .at(let checkpoint) = place, checkpoint != .start else { return place }
        do {
            try await consumer.checkpoints.save(ConsumerStep(partition: partition, from: .start, to: checkpoint))
            return place
        } catch let error as EventStoreError where error.code == .checkpointMoved {
            // Another process began at the same time; its checkpoint counts.
            return .at(try await consumer.checkpoints.checkpoint(of: consumer.name))
        }
    }
}
