import DiscoCore
import Foundation

/// A thread of the package's own, for calls that block: they never sit on Swift's cooperative pool.
package final class OwnThread: Sendable {
    private struct State: Sendable {
        var hasEnded = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    /// - Parameter name: at most 15 characters, the most that Linux shows.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [state] in
            body()
            let waiting = state.withLock { state in
                state.hasEnded = true
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
        thread.name = name
        thread.start()
    }

    /// Returns when the thread has come to its end; asking it to is the owner's affair.
    package func end() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waiting.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }
}
