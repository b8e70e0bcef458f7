import Foundation

/// Runs `body`, which may block, on a thread that is made for it, and returns what it returns.
///
/// It runs to its end, whatever becomes of the calling task. For what is done seldom, such as opening or closing a
/// database; threads that stay are a ``Worker``.
///
/// - Parameters:
///   - name: the thread's. Linux shows 15 characters.
///   - body: what is run.
/// - Throws: what `body` throws.
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
        let thread = Thread {
            // On Linux a name that is given before the start, or has more than 15 bytes, is not shown at all.
            Thread.current.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
            body()
        }
        thread.start()
    }
}
