#if Observability
public import DiscoCore
public import Metrics

/// Times and counts every command and query: a timer `disco.requests` with the dimensions `kind` (`command` or
/// `query`), `name` and `outcome` (`done`, or the code of the error).
///
/// Unregistered names never get here, so the dimensions cannot grow without bound.
public struct CallMetricsMiddleware: Middleware {
    private struct Key: Hashable {
        var kind: Call.Kind
        var name: String
        var outcome: String
    }

    private let label: String
    private let factory: any MetricsFactory
    private let timers = Locked<[Key: Timer]>([:])

    public init(label: String = "disco.requests", factory: any MetricsFactory = MetricsSystem.factory) {
        self.label = label
        self.factory = factory
    }

    public func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        let start = ContinuousClock.now
        do {
            let answer = try await next(call)
            record(call, "done", since: start)
            return answer
        } catch {
            record(call, ErrorDescription(error).code, since: start)
            throw error
        }
    }

    private func record(_ call: Call, _ outcome: String, since start: ContinuousClock.Instant) {
        let time = ContinuousClock.now - start
        let key = Key(kind: call.kind, name: call.name, outcome: outcome)
        let timer = timers.withLock { timers in
            if let known = timers[key] { return known }
            let timer = Timer(
                label: label,
                dimensions: [("kind", call.kind.rawValue), ("name", call.name), ("outcome", outcome)],
                factory: factory)
            timers[key] = timer
            return timer
        }
        timer.recordNanoseconds(Int64(time / .nanoseconds(1)))
    }
}
#else
@available(*, unavailable, message: "Enable the `Observability` trait in the dependency on disco to use this type.")
public struct CallMetricsMiddleware {}
#endif
