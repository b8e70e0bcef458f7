import Foundation

/// A value that one thread at a time may access, with a way to wait until it has changed.
///
/// `@unchecked Sendable`, by this proof: `state` is read and written only between `pthread_mutex_lock` and
/// `pthread_mutex_unlock` of one mutex, `body` cannot let a reference to it escape through `inout`, and the mutex
/// lives on the heap at an address that does not move until `deinit`, when no other reference is left. A pthread mutex
/// and not `Synchronization.Mutex`, because the thread sanitizer understands only the former on Linux.
///
/// Critical sections are short and never call code that could block; one that does on purpose says so.
package final class Locked<State>: @unchecked Sendable {
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>

    package init(_ state: sending State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        // A monotonic clock: setting a wall clock back would lengthen a wait by as much.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    @discardableResult
    package func withLock<Result>(_ body: (inout sending State) throws -> sending Result) rethrows -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Wakes every thread that waits in ``waiting(for:_:)``.
    package func signal() {
        pthread_cond_broadcast(changed)
    }

    /// Blocks the calling thread until `body` returns a value. Calls it again at each ``signal()`` and a last time when
    /// the limit has passed, and then returns whatever it returns.
    ///
    /// Only for threads that the package started itself: blocking a thread of Swift's cooperative pool can stop the
    /// program.
    package func waiting<Result>(
        for limit: Duration? = nil, _ body: (inout sending State) -> sending Result?
    ) -> sending Result? {
        var end = timespec()
        if let limit {
            clock_gettime(CLOCK_MONOTONIC, &end)
            let (seconds, attoseconds) = limit.bounded.components
            end.tv_sec += Int(seconds)
            end.tv_nsec += Int(attoseconds / 1_000_000_000)
            if end.tv_nsec >= 1_000_000_000 {
                end.tv_nsec -= 1_000_000_000
                end.tv_sec += 1
            }
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            if limit == nil {
                pthread_cond_wait(changed, mutex)
            } else if pthread_cond_timedwait(changed, mutex, &end) == ETIMEDOUT {
                return body(&state)
            }
        }
    }
}
