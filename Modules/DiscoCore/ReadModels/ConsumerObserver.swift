/// Is told what running consumers do, for metrics and traces. `ConsumerInstrumentation` of DiscoObservability is one.
public protocol ConsumerObserver: Sendable {
    /// Events were processed, or passed over because they do not concern the consumer, and stored.
    func processed(_ consumer: String, events: Int, in time: Duration)
    /// An event has failed; `parked` after its last attempt.
    func failed(_ consumer: String, code: String, parked: Bool)
    /// How far the consumer is behind: the age in seconds of the oldest event that it had not processed, and the number
    /// of positions to the head.
    func isBehind(_ consumer: String, seconds: Double, positions: Int)
    /// Processes an event with a policy; the implementation calls `body` once.
    func around<Result: Sendable>(
        _ consumer: String, _ event: RecordedEvent, _ body: @Sendable () async throws -> Result
    ) async throws -> Result
}

extension ConsumerObserver {
    public func around<Result: Sendable>(
        _ consumer: String, _ event: RecordedEvent, _ body: @Sendable () async throws -> Result
    ) async throws -> Result { try await body() }
}
