#if HTTP
import DiscoCore
import DiscoEventStore

/// Sends batches of appends, each in one request, and repeats those that have no outcome yet under the same ids.
struct RemoteAppender: AsyncBatchAppender {
    let server: RemoteServer
    let hub: WakeUpHub

    func commit(_ batch: [Append]) async throws -> [BatchOutcome] {
        var progress = Progress(batch)
        var attempts = server.attempts()
        while true {
            let failure: RemoteFailure
            do {
                let request = RemoteServer.Request(
                    .post, ["appends"], body: WireList.write(progress.open.map { batch[$0].wire }))
                let answers = try await server.once(request, attempts)
                guard let last = try progress.take(answers) else { return finished(progress) }
                failure = last
            } catch let error as RemoteFailure {
                if let error = error.error as? EventStoreError, error.code == .tooLarge, batch.count > 1 {
                    // The lane sends the appends one by one.
                    throw error
                }
                progress.failed(error)
                failure = error
            }
            guard failure.isTransient, try await attempts.pause(after: failure) else {
                progress.giveUp(failure.error)
                return finished(progress)
            }
        }
    }

    private func finished(_ progress: Progress) -> [BatchOutcome] {
        hub.advance(to: progress.last)
        return progress.outcomes.map { $0 ?? .refused(EventStoreError.closed) }
    }
}

extension RemoteAppender {
    /// The outcomes of a batch so far.
    struct Progress {
        private let batch: [Append]
        private(set) var outcomes: [BatchOutcome?]
        /// The appends without an outcome.
        private(set) var open: [Int]
        /// Those of them that may be recorded.
        private var inDoubt: Set<Int> = []
        /// The last position recorded.
        private(set) var last = Position.start

        init(_ batch: [Append]) {
            self.batch = batch
            outcomes = batch.map { _ in nil }
            open = Array(batch.indices)
        }

        /// Takes the answers to the appends that are open.
        ///
        /// - Returns: why some of them have no outcome yet; `nil` if all have.
        /// - Throws: ``RemoteFailure`` if the answer is not a list of as many outcomes.
        mutating func take(_ answers: JSONText) throws -> RemoteFailure? {
            guard let texts = try? WireList.texts(answers), texts.count == open.count else {
                throw RemoteFailure(
                    error: EventStoreError(.unavailable, "The answer of the event store server is incomplete."),
                    isTransient: true, mayHaveHappened: true, isLoss: true)
            }
            var failure: RemoteFailure?
            var stillOpen: [Int] = []
            for (index, text) in zip(open, texts) {
                if let appended = try? Appended(wire: text) {
                    outcomes[index] = .appended(appended)
                    last = max(last, appended.last ?? .start)
                    continue
                }
                let refusal =
                    (try? WireError(wire: text).error)
                    ?? EventStoreError(
                        .unavailable, "The event store server answers an append with something else than its outcome.")
                let reason = RemoteFailure(refusal: refusal, status: 0, retryAfter: nil)
                if reason.mayHaveHappened { inDoubt.insert(index) }
                // A token that is no longer valid says nothing about an earlier attempt.
                let isDecided = !reason.isTransient && ErrorDescription(refusal).kind != .unauthorized
                if isDecided || !reason.isTransient && !inDoubt.contains(index) {
                    outcomes[index] = .refused(reason.error)
                } else {
                    stillOpen.append(index)
                    failure = reason
                }
            }
            open = stillOpen
            return failure
        }

        /// The whole request failed.
        mutating func failed(_ failure: RemoteFailure) {
            if failure.mayHaveHappened { inDoubt.formUnion(open) }
        }

        /// Nothing more is tried: what may be recorded has an unknown outcome.
        mutating func giveUp(_ error: any Error) {
            for index in open {
                outcomes[index] = .refused(
                    inDoubt.contains(index) ? OutcomeUnknown(append: batch[index], underlying: error) : error)
            }
            open = []
        }
    }
}
#endif
