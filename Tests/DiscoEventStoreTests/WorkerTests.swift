import DiscoCore
import DiscoEventStore
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct WorkerTests {
    private struct Broken: Error {}

    /// A worker whose threads process their queue while it is open.
    private final class Numbers: Sendable {
        struct State: Sendable {
            var queue: [Int] = []
            var isOpen = true
        }

        let worker: Worker<State>
        private let seen = Locked<[Int]>([])

        init(threads: Int = 1, isOpen: Bool = true) {
            let seen = seen
            worker = Worker(name: "test", threads: threads, state: State(isOpen: isOpen)) { loop in
                while let number = loop.wait({ $0.isOpen && !$0.queue.isEmpty ? $0.queue.removeFirst() : nil }) {
                    seen.withLock { $0.append(number) }
                }
            }
        }

        var done: [Int] { seen.withLock { $0 } }
    }

    @Test func workIsDoneOnceAndInOrder() async throws {
        let numbers = Numbers()
        for number in 0..<100 { numbers.worker.update { $0.queue.append(number) } }
        await eventually { numbers.done == Array(0..<100) }
        await numbers.worker.end()
    }

    @Test func aWorkerEndsAfterItsEarlierWork() async throws {
        let numbers = Numbers(threads: 4, isOpen: false)
        for number in 0..<100 { numbers.worker.update { $0.queue.append(number) } }
        #expect(numbers.done == [])
        numbers.worker.update { $0.isOpen = true }
        await numbers.worker.end()
        #expect(numbers.done.sorted() == Array(0..<100))
    }

    @Test func anEndingWorkerTakesNoMoreWork() async throws {
        let numbers = Numbers()
        #expect(numbers.worker.update { $0.queue.count } != nil)
        await numbers.worker.end()
        let isTaken: Void? = numbers.worker.update { $0.queue.append(1) }
        #expect(isTaken == nil)
        #expect(numbers.worker.withState { $0.queue } == [])
        await numbers.worker.end()
    }

    @Test func severalTasksMayWaitForTheEnd() async throws {
        let numbers = Numbers(threads: 3)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { await numbers.worker.end() } }
        }
    }

    @Test func workAddedWithoutAnUpdateWaitsForAWakeUp() async throws {
        let numbers = Numbers()
        numbers.worker.withState { $0.queue.append(1) }
        numbers.worker.wake()
        await eventually { numbers.done == [1] }
        await numbers.worker.end()
    }

    @Test func anErrorInAnUpdateIsThrown() async throws {
        let worker = Worker(name: "test", state: 0) { loop in _ = loop.wait { _ in nil as Int? } }
        #expect(throws: Broken.self) { try worker.update { _ in throw Broken() } }
        #expect(throws: Broken.self) { try worker.withState { _ in throw Broken() } }
        await worker.end()
    }

    @Test func theThreadsEndWithTheLastReference() async throws {
        let hasEnded = Locked(false)
        do {
            let worker = Worker(name: "test") { loop in
                while loop.pause(for: .seconds(600)) {}
                hasEnded.withLock { $0 = true }
            }
            _ = worker
        }
        await eventually { hasEnded.withLock { $0 } }
    }

    @Test func aWaitWithALimitEnds() async throws {
        let results = Locked<[Int?]>([])
        let worker = Worker(name: "test", state: 1) { loop in
            let none: Int? = loop.wait(for: .milliseconds(20)) { $0 > 1 ? $0 : nil }
            let one: Int? = loop.wait(for: .seconds(600)) { $0 > 0 ? $0 : nil }
            #expect(!loop.isEnding)
            #expect(loop.pause(for: .milliseconds(1)))
            results.withLock { $0 = [none, one] }
        }
        await eventually { results.withLock { $0 } == [nil, 1] }
        await worker.end()
    }

    @Test func endingCutsAPauseShort() async throws {
        let mayGoOn = Locked<Bool?>(nil)
        let worker = Worker(name: "test") { loop in
            let result = loop.pause(for: .seconds(600))
            #expect(loop.isEnding)
            mayGoOn.withLock { $0 = result }
        }
        await worker.end()
        #expect(mayGoOn.withLock { $0 } == false)
    }

    @Test func eachThreadHasItsIndex() async throws {
        let worker = Worker(names: ["one", "two", "three"], state: Set<Int>()) { loop in
            loop.withState { _ = $0.insert(loop.index) }
            loop.wake()
            _ = loop.wait { $0.count == 3 ? true : nil }
        }
        await worker.end()
        #expect(worker.withState { $0 } == [0, 1, 2])
    }

    @Test func aBodyOnASeparateThreadReturnsOrThrows() async throws {
        let name = await onOwnThread(name: "test-own-thread") {
            try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
        }
        #expect(name == "test-own-thread\n")
        await #expect(throws: Broken.self) { try await onOwnThread(name: "test") { throw Broken() } }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await onOwnThread(name: "test") { 1 }
        }
        #expect(await task.value == 1)
    }
}
