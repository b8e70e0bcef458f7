#if Observability
public import DiscoCore
public import Metrics
public import Tracing

/// Metrics and traces of running consumers.
///
/// ```swift
/// Consumers(of: client, consumers, settings: .init(observer: ConsumerInstrumentation()))
/// ```
///
/// Every metric has the dimension `consumer`:
/// - `disco.consumer.events` (counter): events that were processed;
/// - `disco.consumer.steps` (timer): the time of a step, which processes up to 500 events;
/// - `disco.consumer.failures` (counter): failed attempts, by `code`;
/// - `disco.consumer.parked` (counter): streams that were parked;
/// - `disco.consumer.lag_seconds`, `disco.consumer.lag_positions` (gauges): how far it was behind at its last step.
///
/// Each event of a policy has a span, `consume` and the consumer's name, in the trace of the command that caused the
/// event.
public struct ConsumerInstrumentation: ConsumerObserver {
    private struct Meters {
        let events: Counter
        let steps: Timer
        let parked: Counter
        let seconds: Gauge
        let positions: Gauge
        var failures: [String: Counter] = [:]
    }

    private let factory: any MetricsFactory
    private let tracer: any Tracer
    private let meters = Locked<[String: Meters]>([:])

    public init(
        metrics factory: any MetricsFactory = MetricsSystem.factory, tracer: any Tracer = InstrumentationSystem.tracer
    ) {
        self.factory = factory
        self.tracer = tracer
    }

    public func processed(_ consumer: String, events: Int, in time: Duration) {
        with(consumer) { meters in
            meters.events.increment(by: events)
            meters.steps.recordNanoseconds(Int64(time / .nanoseconds(1)))
        }
    }

    public func failed(_ consumer: String, code: String, parked: Bool) {
        with(consumer) { meters in
            // A code may be any text: beyond a hundred, they are counted together.
            let code = meters.failures[code] == nil && meters.failures.count >= 100 ? "other" : code
            let counter =
                meters.failures[code]
                ?? Counter(
                    label: "disco.consumer.failures", dimensions: [("consumer", consumer), ("code", code)],
                    factory: factory)
            meters.failures[code] = counter
            counter.increment()
            if parked { meters.parked.increment() }
        }
    }

    public func isBehind(_ consumer: String, seconds: Double, positions: Int) {
        with(consumer) { meters in
            meters.seconds.record(seconds)
            meters.positions.record(positions)
        }
    }

    public func around<Result: Sendable>(
        _ consumer: String, _ event: RecordedEvent, _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        var context = ServiceContext.current ?? .topLevel
        if event.metadata.values != nil { tracer.extract(event.metadata.trace, into: &context, using: TraceStrings()) }
        return try await tracer.withAnySpan("consume \(consumer)", context: context, ofKind: .consumer) { span in
            span.updateAttributes { attributes in
                attributes["disco.stream"] = event.stream.name
                attributes["disco.type"] = event.type
                attributes["disco.position"] = event.position.rawValue
            }
            return try await body()
        }
    }

    private func with(_ consumer: String, _ body: (inout Meters) -> Void) {
        meters.withLock { all in
            let dimensions = [("consumer", consumer)]
            func label(_ name: String) -> String { "disco.consumer.\(name)" }
            var meters =
                all[consumer]
                ?? Meters(
                    events: Counter(label: label("events"), dimensions: dimensions, factory: factory),
                    steps: Timer(label: label("steps"), dimensions: dimensions, factory: factory),
                    parked: Counter(label: label("parked"), dimensions: dimensions, factory: factory),
                    seconds: Gauge(label: label("lag_seconds"), dimensions: dimensions, factory: factory),
                    positions: Gauge(label: label("lag_positions"), dimensions: dimensions, factory: factory))
            body(&meters)
            all[consumer] = meters
        }
    }
}
#else
@available(*, unavailable, message: "Enable the `Observability` trait in the dependency on disco to use this type.")
public struct ConsumerInstrumentation {}
#endif
