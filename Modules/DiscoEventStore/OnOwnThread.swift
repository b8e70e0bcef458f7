import Dispatch
import Foundation

/// Runs `body`, which may block, on a new thread and returns its result.
///
/// `body` runs to completion even if the calling task is cancelled. Use it for rare work, such as opening or closing a
/// database; use a ``Worker`` for threads that stay.
///
/// - Parameters:
///   - name: the thread's name; Linux shows 15 characters.
///   - body: the work to run.
/// - Throws: any error that `body` throws.
public func onOwnThread<Result: Sendable, Failure: Error>(
    name: String, _ body: @escaping @Sendable () throws(Failure) -> Result
) async throws(Failure) -> Result {
    let result = await withCheckedContinuation { continuation in
        Thread.start(name: name) {
            continuation.resume(returning: Swift.Result { () throws(Failure) in try body() })
        }
    }
    return try result.get()
}

extension Thread {
    static func start(name: String, _ body: @escaping @Sendable () -> Void) {
        let hasStarted = DispatchSemaphore(value: 0)
        let thread = Thread {
            // On Linux, a name that is set before `start()` has returned is dropped, as is one of more than 15 bytes.
            hasStarted.wait()
            Thread.current.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
            body()
        }
        thread.start()
        hasStarted.signal()
    }
}
