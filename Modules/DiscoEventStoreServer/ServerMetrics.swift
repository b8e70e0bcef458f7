#if HTTP
import DiscoCore
import HTTPTypes
import Metrics

/// What the server counts, with swift-metrics.
final class ServerMetrics: Sendable {
    /// A kind of request. There are few: routes, not paths, and only the methods that the API has.
    private struct RequestKind: Hashable {
        var method: String
        var route: String
        var status: Int
    }

    private struct Request: Sendable {
        var count: Counter
        var timer: Timer
    }

    /// The gauges of the store's load.
    private struct Pool: Sendable {
        var connections: Gauge
        var busy: Gauge
        var waitingReads: Gauge
        var waitingAppends: Gauge

        init(_ factory: any MetricsFactory) {
            connections = Gauge(label: "disco_server_pool_connections", factory: factory)
            busy = Gauge(label: "disco_server_pool_busy_connections", factory: factory)
            waitingReads = Gauge(label: "disco_server_pool_waiting_reads", factory: factory)
            waitingAppends = Gauge(label: "disco_server_waiting_appends", factory: factory)
        }
    }

    private static let methods: Set = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]

    private let factory: any MetricsFactory
    private let appends: Counter
    private let events: Counter
    private let batches: Recorder
    private let followers: Gauge
    private let head: Gauge
    private let storeUp: Gauge
    private let pool: Pool
    private let requests = Locked([RequestKind: Request]())
    private let lags = Locked([ConsumerPartition: Gauge]())

    init(_ factory: (any MetricsFactory)?) {
        let factory = factory ?? MetricsSystem.factory
        self.factory = factory
        appends = Counter(label: "disco_server_appends", factory: factory)
        events = Counter(label: "disco_server_appended_events", factory: factory)
        batches = Recorder(label: "disco_server_batch_appends", factory: factory)
        followers = Gauge(label: "disco_server_followers", factory: factory)
        head = Gauge(label: "disco_server_head", factory: factory)
        storeUp = Gauge(label: "disco_server_store_up", factory: factory)
        pool = Pool(factory)
    }

    /// What the metrics mean, by their labels.
    static let help = [
        "disco_server_requests": "Requests that were answered, by method, route and status.",
        "disco_server_request_seconds": "How long requests took, by method and route; followers until they left.",
        "disco_server_appends": "Appends that were recorded; repeated ones are not counted again.",
        "disco_server_appended_events": "Events that were recorded.",
        "disco_server_batch_appends": "How many appends a request with a list of appends had.",
        "disco_server_followers": "Open followers.",
        "disco_server_head": "The position of the store's last event.",
        "disco_server_store_up": "1 if the store answers, otherwise 0.",
        "disco_server_pool_connections": "The store's connections for reading.",
        "disco_server_pool_busy_connections": "The store's connections for reading that are in use.",
        "disco_server_pool_waiting_reads": "Reads that wait for a connection of the store.",
        "disco_server_waiting_appends": "Appends that wait for the store's next commit.",
        "disco_server_consumer_lag_events": "How many events a consumer has yet to pass, by its partition.",
    ]

    func recorded(_ appended: Appended) {
        if appended.repeated { return }
        appends.increment()
        events.increment(by: appended.events.count)
    }

    func batch(_ appends: Int) { batches.record(appends) }

    func request(_ method: String, _ route: String, _ status: Int, _ time: Duration) {
        // A caller may send any method: each would be a series.
        let method = Self.methods.contains(method) ? method : "other"
        let kind = RequestKind(method: method, route: route, status: status)
        let request = requests.withLock { requests in
            if let request = requests[kind] { return request }
            let request = Request(
                count: Counter(
                    label: "disco_server_requests",
                    dimensions: [("method", method), ("route", route), ("status", "\(status)")], factory: factory),
                timer: Timer(
                    label: "disco_server_request_seconds", dimensions: [("method", method), ("route", route)],
                    factory: factory))
            requests[kind] = request
            return request
        }
        request.count.increment()
        request.timer.recordNanoseconds(Int64(clamping: Int(time.bounded / .nanoseconds(1))))
    }

    /// What is measured when the metrics are asked for.
    struct Measures: Sendable {
        var followers = 0
        /// `nil` if the store does not answer.
        var head: Position?
        /// `nil` if the store does not tell.
        var load: StoreLoad?
        /// How many events each partition has yet to pass.
        var lags: [ConsumerPartition: Int] = [:]
    }

    func scraped(_ measures: Measures) {
        followers.record(measures.followers)
        storeUp.record(measures.head == nil ? 0 : 1)
        if let position = measures.head { head.record(position.rawValue) }
        if let load = measures.load {
            pool.connections.record(load.connections)
            pool.busy.record(load.busyConnections)
            pool.waitingReads.record(load.waitingReads)
            pool.waitingAppends.record(load.waitingAppends)
        }
        record(measures.lags)
    }

    /// A partition that is no longer there has no lag any more.
    private func record(_ new: [ConsumerPartition: Int]) {
        let factory = factory
        lags.withLock { lags in
            for (partition, gauge) in lags where new[partition] == nil {
                gauge.destroy()
                lags[partition] = nil
            }
            for (partition, lag) in new {
                let gauge = lags[partition] ?? Self.lag(of: partition, factory)
                lags[partition] = gauge
                gauge.record(lag)
            }
        }
    }

    private static func lag(of partition: ConsumerPartition, _ factory: any MetricsFactory) -> Gauge {
        Gauge(
            label: "disco_server_consumer_lag_events",
            dimensions: [
                ("consumer", partition.consumer),
                ("slices", "\(partition.slices.lowerBound)-\(partition.slices.upperBound)"),
            ], factory: factory)
    }
}
#endif
