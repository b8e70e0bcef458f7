#if HTTP
/// How many requests a second one caller may send. A caller that was silent may send those of one second at once.
struct RateLimit: Sendable {
    private let interval: Duration
    private let burst: Duration

    /// - Parameter requestsPerSecond: 0 or less for no limit, which gives `nil`.
    init?(requestsPerSecond: Int) {
        guard requestsPerSecond > 0 else { return nil }
        interval = .nanoseconds(1_000_000_000 / Int64(min(requestsPerSecond, 1_000_000_000)))
        burst = .seconds(1) - interval
    }

    /// What is remembered of a caller.
    struct Bucket: Sendable {
        /// When the requests so far would have been sent at the allowed rate.
        fileprivate var due: Duration?
    }

    /// Counts a request, unless it comes too early.
    ///
    /// - Returns: after how long the caller may try again; `nil` if the request is allowed.
    func wait(at now: Duration, _ bucket: inout Bucket) -> Duration? {
        let due = max(bucket.due ?? now, now)
        if due - now > burst { return due - now - burst }
        bucket.due = due + interval
        return nil
    }
}
#endif
