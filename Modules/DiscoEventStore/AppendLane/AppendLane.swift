public import DiscoCore
import Foundation

/// Group commit: while one batch of appends commits, the next gathers, so that concurrent appends share a disk flush.
///
/// The lane belongs to no caller: its own thread commits batches and resumes callers, so that one caller's cancellation never
/// reaches another's commit. An append that is still waiting when its task is cancelled is withdrawn; one in a batch
/// runs to its outcome.
public final class AppendLane: Sendable {
    private struct Waiting: Sendable {
        let number: Int
        let append: Append
        let continuation: CheckedContinuation<Appended, any Error>
    }

    private struct State: Sendable {
        var queue: [Waiting] = []
        var next = 0
        var cancelled: Set<Int> = []
        var closing = false
        var ended = false
        var onEnd: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    /// - Parameter name: that of the thread, at most 15 characters.
    public init(name: String, appender: some BatchAppender) {
        let thread = Thread { [state] in Self.run(state, appender) }
        thread.name = name
        thread.start()
    }

    public func append(_ append: Append) async throws -> Appended {
        try append.check()
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        defer { state.withLock { state in _ = state.cancelled.remove(number) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refusal = state.withLock { state -> (any Error)? in
                    if state.closing { return EventStoreError.closed }
                    if state.cancelled.contains(number) { return CancellationError() }
                    state.queue.append(Waiting(number: number, append: append, continuation: continuation))
                    return nil
                }
                if let refusal { continuation.resume(throwing: refusal) } else { state.signal() }
            }
        } onCancel: {
            let withdrawn = state.withLock { state -> Waiting? in
                guard let place = state.queue.firstIndex(where: { $0.number == number }) else {
                    state.cancelled.insert(number)
                    return nil
                }
                return state.queue.remove(at: place)
            }
            withdrawn?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Refuses new appends and returns when those that wait have had their outcome and the thread has ended.
    public func close() async {
        await withCheckedContinuation { continuation in
            let ended = state.withLock { state in
                state.closing = true
                if !state.ended { state.onEnd.append(continuation) }
                return state.ended
            }
            if ended { continuation.resume() } else { state.signal() }
        }
    }

    private static func run(_ state: Locked<State>, _ appender: some BatchAppender) {
        while let batch = next(state) {
            let appends = batch.map(\.append)
            for (waiting, outcome) in zip(batch, commit(appends, appender)) {
                switch outcome {
                case .appended(let appended): waiting.continuation.resume(returning: appended)
                case .refused(let error): waiting.continuation.resume(throwing: error)
                }
            }
        }
        let waiting = state.withLock { state in
            state.ended = true
            return state.onEnd
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Blocks until there is something to commit; nil at the end.
    private static func next(_ state: Locked<State>) -> [Waiting]? {
        let batch: [Waiting]? = state.waiting { state in
            if state.queue.isEmpty { return state.closing ? [] : nil }
            var batcher = Batcher()
            let count = state.queue.prefix { batcher.admit($0.append) }.count
            defer { state.queue.removeFirst(count) }
            return Array(state.queue.prefix(count))
        }
        return batch?.isEmpty == false ? batch : nil
    }

    private static func commit(_ batch: [Append], _ appender: some BatchAppender) -> [BatchOutcome] {
        do {
            return try appender.commit(batch)
        } catch {
            // Only the culprit of a technical failure may suffer from it. Whoever cannot know its outcome must not be tried again
            // here as if nothing had happened; the same append once more would be safe, and is the caller's choice.
            if batch.count == 1 || error is OutcomeUnknown {
                return batch.map { append in
                    .refused(
                        (error as? OutcomeUnknown).map { OutcomeUnknown(append: append, underlying: $0.underlying) }
                            ?? error)
                }
            }
            if let error = error as? EventStoreError, [.busy, .full, .readOnly, .closed].contains(error.code) {
                return batch.map { _ in .refused(error) }
            }
            return batch.flatMap { commit([$0], appender) }
        }
    }
}
