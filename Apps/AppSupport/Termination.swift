import DiscoCore
import Dispatch
import Foundation

/// Handles SIGINT and SIGTERM, so that an app closes its stores, and thereby completes their files, before it exits.
package enum Termination {
    private struct State: Sendable {
        var signal: Int32?
        var shutDown: (@Sendable () -> Void)?
    }

    private static let state = Locked(State())

    /// The signal that asked the app to exit; `nil` if there was none.
    package static var signal: Int32? { state.withLock { $0.signal } }

    /// Runs an app in a task that SIGINT and SIGTERM cancel. A second signal ends the process at once.
    package static func heeding(_ app: @escaping @Sendable () async -> Void) async {
        // The signal handler needs a task to cancel; the task is awaited below.
        let task = Task { await app() }
        let sources = [SIGINT, SIGTERM].map { number in
            Foundation.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                let (isFirst, shutDown) = state.withLock { state in
                    defer { state.signal = state.signal ?? number }
                    return (state.signal == nil, state.shutDown)
                }
                guard isFirst else {
                    Foundation.signal(number, SIG_DFL)
                    // Not `raise`: it signals this thread, where signals are blocked.
                    kill(getpid(), number)
                    return
                }
                if let shutDown { shutDown() } else { task.cancel() }
            }
            source.activate()
            return source
        }
        await task.value
        for source in sources { source.cancel() }
    }

    /// Makes the first signal call `shutDown` instead of cancelling the task, for services that shut down gracefully.
    package static func shuttingDown(by shutDown: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.shutDown = shutDown
            return state.signal != nil
        }
        if isLate { shutDown() }
    }
}
