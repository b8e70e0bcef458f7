import DiscoCore
import DiscoEventStore
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct AppendLaneTests {
    private struct Broken: Error {}

    /// Commits when it is open, and records the streams of each batch.
    private final class Appender: BatchAppender {
        private let state = Locked((batches: [[StreamID]](), isOpen: true))
        private let body: @Sendable (_ batch: [Append], _ number: Int) throws -> [BatchOutcome]

        init(
            isOpen: Bool = true,
            _ body: @escaping @Sendable ([Append], Int) throws -> [BatchOutcome] = { batch, _ in recorded(batch) }
        ) {
            self.body = body
            state.withLock { $0.isOpen = isOpen }
        }

        var batches: [[StreamID]] { state.withLock { $0.batches } }

        func commit(_ batch: [Append]) throws -> [BatchOutcome] {
            let number = note(batch)
            _ = state.waiting { $0.isOpen ? true : nil }
            return try body(batch, number)
        }

        fileprivate func commitWithoutBlocking(_ batch: [Append]) async throws -> [BatchOutcome] {
            let number = note(batch)
            while !state.withLock({ $0.isOpen }) { try await Task.sleep(for: .milliseconds(1)) }
            return try body(batch, number)
        }

        private func note(_ batch: [Append]) -> Int {
            state.withLock { state in
                state.batches.append(batch.map { $0.events[0].stream })
                return state.batches.count
            }
        }

        func open() {
            state.withLock { $0.isOpen = true }
            state.signal()
        }
    }

    private struct AsyncAppender: AsyncBatchAppender {
        let base: Appender

        func commit(_ batch: [Append]) async throws -> [BatchOutcome] { try await base.commitWithoutBlocking(batch) }
    }

    enum Kind: CaseIterable { case blocking, async }

    private func lane(_ kind: Kind, _ appender: Appender, appenders: Int = 1) -> AppendLane {
        switch kind {
        case .blocking: AppendLane(name: "test", appenders: Array(repeating: appender, count: appenders))
        case .async:
            AppendLane(name: "test", appenders: Array(repeating: AsyncAppender(base: appender), count: appenders))
        }
    }

    private static func recorded(_ batch: [Append]) -> [BatchOutcome] {
        batch.map { append in
            .appended(
                Appended(events: append.events.map { .init(id: $0.id, stream: $0.stream, version: 1, position: 1) }))
        }
    }

    private func append(_ stream: StreamID) -> Append { Append([NewEvent(stream: stream, type: "T", payload: "{}")]) }

    @Test(arguments: Kind.allCases) func theNextBatchGathersWhileOneCommits(kind: Kind) async throws {
        let appender = Appender(isOpen: false)
        let lane = lane(kind, appender)
        let first = Task { try await lane.append(append("a-0")) }
        await eventually { appender.batches.count == 1 }
        let rest = (1...20).map { number in Task { try await lane.append(append(StreamID("a-\(number)"))) } }
        // Each task has queued its append once it is suspended.
        for _ in 0..<200 { await Task.yield() }
        appender.open()
        for task in [first] + rest { _ = try await task.value }
        #expect(appender.batches.map(\.count).reduce(0, +) == 21)
        #expect(appender.batches.count < 10, "\(appender.batches)")
        await lane.close()
    }

    @Test func withTwoAppendersTheNextBatchStartsWhileOneCommitsAndNoneIsSmall() async throws {
        let appender = Appender(isOpen: false)
        let lane = AppendLane(name: "test", appenders: [appender, appender])
        let first = Task { try await lane.append(append("a-0")) }
        await eventually { appender.batches.count == 1 }
        let some = (1...15).map { number in Task { try await lane.append(append(StreamID("a-\(number)"))) } }
        for _ in 0..<200 { await Task.yield() }
        // Fifteen are not worth a separate flush: they keep gathering.
        #expect(appender.batches.count == 1)
        let more = (16...80).map { number in Task { try await lane.append(append(StreamID("a-\(number)"))) } }
        await eventually { appender.batches.count == 2 }
        for _ in 0..<200 { await Task.yield() }
        #expect(appender.batches.count == 2)
        appender.open()
        for task in [first] + some + more { _ = try await task.value }
        #expect(appender.batches.map(\.count).reduce(0, +) == 81)
        #expect(appender.batches.count < 12, "\(appender.batches)")
        await lane.close()
    }

    @Test func twoAppendersShareTheWaitingAppends() async throws {
        let appender = Appender(isOpen: false)
        let lane = AppendLane(name: "test", appenders: [appender, appender])
        let many = Append((0..<40).map { NewEvent(stream: StreamID("a-\($0)"), type: "T", payload: "{}") })
        let first = Task { try await lane.append(many) }
        await eventually { appender.batches.count == 1 }
        let rest = (0..<100).map { number in Task { try await lane.append(append(StreamID("b-\(number)"))) } }
        await eventually { appender.batches.count == 2 }
        appender.open()
        for task in [first] + rest { _ = try await task.value }
        // The second took no more than half of all appends: about 40 were waiting beside the 40 being committed.
        let sizes = appender.batches.map(\.count)
        #expect((30...70).contains(sizes[1]), "\(sizes)")
        await lane.close()
    }

    @Test(arguments: Kind.allCases) func closingWithTwoAppendersCommitsTheWaitingAppends(kind: Kind) async throws {
        let appender = Appender(isOpen: false)
        let lane = lane(kind, appender, appenders: 2)
        let tasks = (0..<4).map { number in Task { try await lane.append(append(StreamID("a-\(number)"))) } }
        await eventually { appender.batches.count == 1 }
        for _ in 0..<200 { await Task.yield() }
        let closing = Task { await lane.close() }
        appender.open()
        for task in tasks { _ = try await task.value }
        await closing.value
        #expect(appender.batches.map(\.count).reduce(0, +) == 4)
    }

    @Test(arguments: Kind.allCases) func anAppendCancelledWhileItWaitsIsNeverCommitted(kind: Kind) async throws {
        let appender = Appender(isOpen: false)
        let lane = lane(kind, appender)
        let first = Task { try await lane.append(append("a-0")) }
        await eventually { appender.batches.count == 1 }
        let second = Task { try await lane.append(append("a-1")) }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        // The append in the batch completes, although its task is cancelled too.
        first.cancel()
        appender.open()
        #expect(try await first.value.events.map(\.stream) == ["a-0"])
        _ = try await lane.append(append("a-2"))
        #expect(appender.batches == [["a-0"], ["a-2"]])
        await lane.close()
    }

    @Test(arguments: Kind.allCases) func aTechnicalFailureAffectsOnlyItsAppend(kind: Kind) async throws {
        let appender = Appender(isOpen: false) { batch, _ in
            if batch.contains(where: { $0.events[0].stream == "a-bad" }) { throw Broken() }
            return AppendLaneTests.recorded(batch)
        }
        let lane = lane(kind, appender)
        let streams: [StreamID] = ["a-0", "a-1", "a-bad", "a-2"]
        let tasks = streams.map { stream in Task { try await lane.append(append(stream)) } }
        await eventually { !appender.batches.isEmpty }
        for _ in 0..<200 { await Task.yield() }
        appender.open()
        for (stream, task) in zip(streams, tasks) {
            if stream == "a-bad" {
                await #expect(throws: Broken.self) { try await task.value }
            } else {
                #expect(try await task.value.events.map(\.stream) == [stream])
            }
        }
        await lane.close()
    }

    @Test(arguments: Kind.allCases) func anUnknownOutcomeIsResolvedByRepeatingTheSameBatch(kind: Kind) async throws {
        let appender = Appender { batch, number in
            if number < 3 { throw OutcomeUnknown(append: batch[0], underlying: Broken()) }
            return AppendLaneTests.recorded(batch)
        }
        let lane = lane(kind, appender)
        let append = append("a-1")
        #expect(try await lane.append(append).events.map(\.id) == [append.events[0].id])
        #expect(appender.batches == [["a-1"], ["a-1"], ["a-1"]])
        await lane.close()
    }

    @Test(arguments: Kind.allCases) func anOutcomeThatStaysUnknownIsReportedWithItsAppend(kind: Kind) async throws {
        let appender = Appender { batch, _ in throw OutcomeUnknown(append: batch[0], underlying: Broken()) }
        let lane = lane(kind, appender)
        let append = append("a-1")
        let error = await #expect(throws: OutcomeUnknown.self) { try await lane.append(append) }
        #expect(error?.append == append)
        #expect(appender.batches.count == 4)
        await lane.close()
    }

    @Test(arguments: Kind.allCases) func closingWaitsForRunningAppendsAndRefusesLaterOnes(kind: Kind) async throws {
        let appender = Appender(isOpen: false)
        let lane = lane(kind, appender)
        let first = Task { try await lane.append(append("a-0")) }
        await eventually { appender.batches.count == 1 }
        let closing = Task { await lane.close() }
        await eventually {
            do {
                _ = try await Task { try await withTimeout { try await lane.append(append("a-1")) } }.value
                return false
            } catch let error as EventStoreError {
                return error.code == .closed
            } catch {
                return false
            }
        }
        appender.open()
        _ = try await first.value
        await closing.value
        #expect(appender.batches == [["a-0"]])
    }

    @TaskLocal private static var caller: String?

    /// Records what the committing task inherits from the callers.
    private final class Prying: AsyncBatchAppender {
        let seen = Locked<[(caller: String?, isCancelled: Bool)]>([])

        func commit(_ batch: [Append]) async throws -> [BatchOutcome] {
            // Long enough for a cancellation to arrive if it were passed on.
            for _ in 0..<100 { await Task.yield() }
            seen.withLock { $0.append((AppendLaneTests.caller, Task.isCancelled)) }
            return AppendLaneTests.recorded(batch)
        }
    }

    @Test func theCommittingTaskInheritsNothingFromItsCallers() async throws {
        let appender = Prying()
        let lane = AppendLane(name: "test", appender: appender)
        for number in 0..<50 {
            let append = append(StreamID("a-\(number)"))
            let task = Self.$caller.withValue("caller") { Task { try await lane.append(append) } }
            for _ in 0..<number { await Task.yield() }
            task.cancel()
            do {
                #expect(try await task.value.events.map(\.id) == [append.events[0].id])
            } catch {
                #expect(error is CancellationError)
            }
        }
        _ = try await lane.append(append("b-1"))
        await lane.close()
        #expect(appender.seen.withLock { $0.allSatisfy { $0.caller == nil && !$0.isCancelled } })
    }

    /// More lanes than Swift's pool has threads: if commits blocked threads, none could continue.
    @Test func lanesWithSuspendedCommitsDoNotBlockEachOther() async throws {
        let appender = Appender(isOpen: false)
        let lanes = (0..<64).map { _ in lane(.async, appender) }
        let tasks = lanes.enumerated().map { number, lane in
            Task { try await lane.append(append(StreamID("a-\(number)"))) }
        }
        await eventually { appender.batches.count == 64 }
        appender.open()
        for task in tasks { _ = try await task.value }
        for lane in lanes { await lane.close() }
    }

    /// Cancels `body` if it has not ended after 20 ms.
    private func withTimeout<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws
        -> Value
    {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: .milliseconds(20))
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}
