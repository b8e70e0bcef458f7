import DiscoCore
import Foundation

/// Dedicated threads for blocking calls, with a state that they share with the callers that give them work.
///
/// Blocking calls must not run on Swift's cooperative pool: a few of them can stop the program. Each thread runs a loop
/// that waits until the state contains work, does it, and waits again.
///
/// ```swift
/// let letters = Worker(name: "letters", state: [Letter]()) { loop in
///     while let letter = loop.wait({ $0.isEmpty ? nil : $0.removeFirst() }) { post(letter) }
/// }
/// letters.update { $0.append(letter) }
/// await letters.end()
/// ```
///
/// The threads do not keep the worker alive. They end when ``end()`` is called or the last reference to the worker is
/// gone, after finishing the work that the state still contains.
public final class Worker<State: Sendable>: Sendable {
    fileprivate struct Shared: Sendable {
        var state: State
        var isEnding = false
        /// The number of threads that have not ended yet.
        var running: Int
        /// The callers that wait for the threads to end.
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let shared: Locked<Shared>

    /// - Parameters:
    ///   - name: the thread's name; if there are several threads, a hyphen and a number from 1 are appended. Linux
    ///     shows 15 characters.
    ///   - threads: the number of threads that run the loop.
    ///   - state: the initial shared state.
    ///   - run: the loop, called once on each thread, which ends when the loop returns. It must return when
    ///     ``Loop/wait(for:_:)`` gives no more work, or ``Loop/isEnding`` is true.
    public convenience init(
        name: String, threads: Int = 1, state: State, run: @escaping @Sendable (Loop) -> Void
    ) {
        precondition(threads > 0, "A worker needs a thread.")
        self.init(
            names: threads == 1 ? [name] : (1...threads).map { "\(name)-\($0)" }, state: state, run: run)
    }

    /// - Parameters:
    ///   - names: the threads' names, one thread for each, in the order of their ``Loop/index``.
    ///   - state: the initial shared state.
    ///   - run: the loop, called once on each thread.
    public init(names: [String], state: State, run: @escaping @Sendable (Loop) -> Void) {
        precondition(!names.isEmpty, "A worker needs a thread.")
        let shared = Locked(Shared(state: state, running: names.count))
        self.shared = shared
        for (index, name) in names.enumerated() {
            Thread.start(name: name) {
                run(Loop(index: index, shared: shared))
                Self.threadEnded(shared)
            }
        }
    }

    deinit { stop() }

    /// Reads or changes the state without waking any thread.
    public func withState<Result>(_ body: (inout State) throws -> sending Result) rethrows -> sending Result {
        try shared.withLock { try body(&$0.state) }
    }

    /// Changes the state and wakes the threads; changes nothing and returns `nil` if the threads must end.
    @discardableResult
    public func update<Result>(_ body: (inout State) throws -> sending Result) rethrows -> sending Result? {
        let result = try shared.withLock { shared in
            if shared.isEnding { return nil as Result? }
            return try body(&shared.state)
        }
        if result != nil { wake() }
        return result
    }

    /// Makes every waiting thread check the state again.
    public func wake() { shared.signal() }

    /// Tells the threads to end, and returns when all of them have ended.
    public func end() async {
        stop()
        await withCheckedContinuation { continuation in
            let haveEnded = shared.withLock { shared in
                if shared.running > 0 { shared.waiting.append(continuation) }
                return shared.running == 0
            }
            if haveEnded { continuation.resume() }
        }
    }

    private func stop() {
        shared.withLock { $0.isEnding = true }
        shared.signal()
    }

    private static func threadEnded(_ shared: Locked<Shared>) {
        let waiting = shared.withLock { shared -> [CheckedContinuation<Void, Never>] in
            shared.running -= 1
            return shared.running == 0 ? shared.waiting : []
        }
        for continuation in waiting { continuation.resume() }
    }
}

extension Worker where State == Void {
    /// Creates a worker that is given no work, but does something at intervals; see ``Loop/pause(for:)``.
    public convenience init(name: String, run: @escaping @Sendable (Loop) -> Void) {
        self.init(name: name, state: (), run: run)
    }
}

extension Worker {
    /// What one of the threads works with. Its calls block, and are only for that thread.
    public struct Loop: Sendable {
        /// The index of this thread, from 0.
        public let index: Int
        fileprivate let shared: Locked<Shared>

        /// Whether the threads must end.
        public var isEnding: Bool { shared.withLock { $0.isEnding } }

        /// Reads or changes the state without waking any thread.
        public func withState<Result>(_ body: (inout State) throws -> sending Result) rethrows -> sending Result {
            try shared.withLock { try body(&$0.state) }
        }

        /// Makes every waiting thread check the state again.
        public func wake() { shared.signal() }

        /// Blocks until `body` returns a value; `body` is called again whenever the threads are woken.
        ///
        /// - Parameters:
        ///   - limit: how long to wait; `nil` for no limit.
        ///   - body: takes work from the state; returns `nil` if there is none.
        /// - Returns: the value of `body`, or `nil` if `body` still returns `nil` when the time is over or the threads
        ///   must end. Work given to the worker before that is therefore done first.
        public func wait<Result>(
            for limit: Duration? = nil, _ body: (inout State) -> sending Result?
        ) -> sending Result? {
            let result: Result?? = shared.waiting(for: limit) { shared in
                if let result = body(&shared.state) { return .some(result) }
                return shared.isEnding ? .some(nil) : nil
            }
            return result ?? nil
        }

        /// Blocks until the time is over or the threads must end, which may be much earlier.
        ///
        /// - Returns: whether the loop may continue.
        @discardableResult
        public func pause(for time: Duration) -> Bool {
            shared.waiting(for: time) { $0.isEnding ? true : nil } == nil
        }
    }
}
