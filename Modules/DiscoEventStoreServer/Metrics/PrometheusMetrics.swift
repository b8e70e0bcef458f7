#if HTTP
import DiscoCore
public import Metrics

/// Collects the process's metrics, and writes them in the text format of Prometheus.
///
/// ```swift
/// let metrics = PrometheusMetrics()
/// MetricsSystem.bootstrap(metrics)
/// let server = try EventStoreServer(client, exposition: { metrics.text() })
/// ```
///
/// Counters end in `_total`. Timers are histograms in seconds and end in `_seconds`. Recorders are histograms, gauges
/// and meters are gauges. Characters that Prometheus does not allow in a name become `_`. Values that are not finite are
/// ignored, except by gauges, which show them; a counter ignores negative increments.
///
/// The number of series is limited. The values of further series are dropped, and so are those of a metric whose name
/// another kind of metric has taken; `disco_metrics_dropped_values_total` counts them.
public final class PrometheusMetrics: MetricsFactory {
    /// Series of one name.
    private struct Family {
        var kind: MetricKind
        var help: String?
        /// By their labels, as they are written.
        var series: [String: MetricSeries] = [:]
    }

    private struct Registry {
        var families: [String: Family] = [:]
        /// Which family writes samples of a name: a histogram writes several.
        var owners: [String: String] = [:]
        var count = 0
    }

    private static let droppedName = "disco_metrics_dropped_values_total"

    private let registry = Locked(Registry())
    private let seriesLimit: Int
    private let help: [String: String]
    private let dropped: DroppedValues

    /// - Parameters:
    ///   - seriesLimit: how many series there may be; a histogram is one.
    ///   - help: what the metrics mean, by their labels. The server's own metrics have a text.
    public init(seriesLimit: Int = 5000, help: [String: String] = [:]) {
        self.seriesLimit = seriesLimit
        self.help = ServerMetrics.help.merging(help) { $1 }
        let count = MetricSeries(.counter, labels: "")
        dropped = DroppedValues(count)
        registry.withLock { registry in
            registry.families[Self.droppedName] = Family(
                kind: .counter, help: "Values of metrics that were dropped: too many series, or a name in use.",
                series: ["": count])
            registry.owners[Self.droppedName] = Self.droppedName
        }
    }

    /// All metrics in the text format of Prometheus, version 0.0.4.
    public func text() -> String {
        let families = registry.withLock { $0.families.map { (name: $0, family: $1) } }
        var text = ""
        for (name, family) in families.sorted(by: { $0.name < $1.name }) where !family.series.isEmpty {
            if let help = family.help { text += "# HELP \(name) \(PrometheusText.help(help))\n" }
            text += "# TYPE \(name) \(family.kind.typeName)\n"
            for series in family.series.values.sorted(by: { $0.labels < $1.labels }) {
                series.write(name, to: &text)
            }
        }
        return text
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter) ?? dropped
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, .counter) ?? dropped
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge) ?? dropped
    }

    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        series(label, dimensions, aggregate ? .sizes : .gauge) ?? dropped
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .seconds) ?? dropped
    }

    public func destroyCounter(_ handler: any CounterHandler) { remove(handler as? MetricSeries) }

    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        remove(handler as? MetricSeries)
    }

    public func destroyMeter(_ handler: any MeterHandler) { remove(handler as? MetricSeries) }

    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler as? MetricSeries) }

    public func destroyTimer(_ handler: any TimerHandler) { remove(handler as? MetricSeries) }

    /// The series of a name and labels, a new one if need be; nil if it is to be dropped.
    private func series(_ label: String, _ dimensions: [(String, String)], _ kind: MetricKind) -> MetricSeries? {
        let name = kind.name(of: PrometheusText.name(label))
        let labels = PrometheusText.labels(dimensions)
        let text = help[label]
        return registry.withLock { registry in
            if let family = registry.families[name] {
                guard family.kind == kind else { return nil }
                if let series = family.series[labels] { return series }
            }
            guard registry.count < seriesLimit else { return nil }
            let samples = kind.sampleNames(of: name)
            guard samples.allSatisfy({ registry.owners[$0] ?? name == name }) else { return nil }
            for sample in samples { registry.owners[sample] = name }
            let series = MetricSeries(kind, labels: labels)
            registry.families[name, default: Family(kind: kind, help: text)].series[labels] = series
            registry.count += 1
            return series
        }
    }

    private func remove(_ series: MetricSeries?) {
        guard let series else { return }
        registry.withLock { registry in
            for (name, family) in registry.families where family.series[series.labels] === series {
                registry.families[name]?.series[series.labels] = nil
                registry.count -= 1
                if family.series.count == 1 {
                    registry.families[name] = nil
                    for sample in family.kind.sampleNames(of: name) { registry.owners[sample] = nil }
                }
            }
        }
    }
}
#endif
