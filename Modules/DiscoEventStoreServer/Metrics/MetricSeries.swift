#if HTTP
import DiscoCore
import Metrics

/// What Prometheus makes of a metric.
enum MetricKind: Sendable {
    case counter, gauge
    /// A histogram of durations.
    case seconds
    /// A histogram of numbers.
    case sizes

    var typeName: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .seconds, .sizes: "histogram"
        }
    }

    /// The name by Prometheus's conventions: it says what is counted, in which unit.
    func name(of label: String) -> String {
        switch self {
        case .counter: label.hasSuffix("_total") ? label : label + "_total"
        case .seconds: label.hasSuffix("_seconds") ? label : label + "_seconds"
        case .gauge, .sizes: label
        }
    }

    /// The names of the samples that a metric writes.
    func sampleNames(of name: String) -> [String] {
        switch self {
        case .counter, .gauge: [name]
        case .seconds, .sizes: [name, name + "_bucket", name + "_sum", name + "_count"]
        }
    }

    /// The upper bounds of a histogram's buckets.
    var bounds: [Double] {
        switch self {
        case .counter, .gauge: []
        case .seconds:
            [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
        case .sizes: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000, 1_000_000]
        }
    }
}

/// The values of one metric with its labels.
final class MetricSeries: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    private struct State: Sendable {
        /// A counter's or a gauge's value, or the sum of a histogram.
        var value = 0.0
        /// How many values are in each bucket; the last has no bound.
        var buckets: [Int]
    }

    private let kind: MetricKind
    private let bounds: [Double]
    /// As they are written, without the braces.
    let labels: String
    private let state: Locked<State>

    init(_ kind: MetricKind, labels: String) {
        self.kind = kind
        self.labels = labels
        bounds = kind.bounds
        state = Locked(State(buckets: Array(repeating: 0, count: kind.bounds.count + 1)))
    }

    func increment(by amount: Int64) { increment(by: Double(amount)) }

    func increment(by amount: Double) {
        guard amount.isFinite, kind == .gauge || amount > 0 else { return }
        state.withLock { $0.value += amount }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func reset() { state.withLock { $0.value = 0 } }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { state.withLock { $0.value = value } }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        if kind == .gauge { return set(value) }
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.value += value
            state.buckets[bucket] &+= 1
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1e9) }

    /// Appends the samples, a line each.
    func write(_ name: String, to text: inout String) {
        let state = state.withLock { $0 }
        guard !bounds.isEmpty else { return write(name, labels, PrometheusText.number(state.value), to: &text) }
        var count = 0
        for (bucket, bound) in zip(state.buckets, bounds + [.infinity]) {
            count &+= bucket
            let bound = #"le="\#(PrometheusText.number(bound))""#
            write(name + "_bucket", labels.isEmpty ? bound : "\(labels),\(bound)", "\(count)", to: &text)
        }
        write(name + "_sum", labels, PrometheusText.number(state.value), to: &text)
        write(name + "_count", labels, "\(count)", to: &text)
    }

    private func write(_ name: String, _ labels: String, _ value: String, to text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}

/// Counts the values of series that are not kept.
final class DroppedValues: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    private let count: MetricSeries

    init(_ count: MetricSeries) { self.count = count }

    func increment(by amount: Int64) { drop() }
    func increment(by amount: Double) { drop() }
    func decrement(by amount: Double) { drop() }
    func reset() {}
    func set(_ value: Int64) { drop() }
    func set(_ value: Double) { drop() }
    func record(_ value: Int64) { drop() }
    func record(_ value: Double) { drop() }
    func recordNanoseconds(_ duration: Int64) { drop() }

    private func drop() { count.increment(by: 1.0) }
}
#endif
