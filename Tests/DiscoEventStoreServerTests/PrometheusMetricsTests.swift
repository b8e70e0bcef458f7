#if HTTP
import DiscoCore
import DiscoEventStore
import DiscoEventStoreServer
import DiscoEventStoreSQLite
import Foundation
import Metrics
import TestSupport
import Testing

/// The text format of Prometheus, and what a server's metrics contain.
@Suite(.timeLimit(.minutes(1))) struct PrometheusMetricsTests {
    private let metrics = PrometheusMetrics()

    /// The samples by name and labels, as a reader of the format sees them; fails on a line that is not valid.
    private func samples(_ metrics: PrometheusMetrics) throws -> [String: Double] {
        let name = "[a-zA-Z_:][a-zA-Z0-9_:]*"
        let label = #"[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["n\\])*""#
        let sample = try Regex<(Substring, Substring, Substring)>(
            #"(\#(name)(?:\{\#(label)(?:,\#(label))*\})?) ([-+]?(?:[0-9.]+(?:e[-+]?[0-9]+)?|Inf)|NaN)"#)
        let comment = try Regex<Substring>("# (?:TYPE \(name) (?:counter|gauge|histogram)|HELP \(name) .*)")
        var samples: [String: Double] = [:]
        // By scalars: a line ends at a line feed, whatever follows it.
        for line in metrics.text().unicodeScalars.split(separator: "\n").map(String.init) {
            if line.hasPrefix("#") {
                #expect(line.wholeMatch(of: comment.matchingSemantics(.unicodeScalar)) != nil, "\(line)")
            } else {
                let match = try #require(try sample.matchingSemantics(.unicodeScalar).wholeMatch(in: line), "\(line)")
                #expect(samples[String(match.1)] == nil, "\(line) is there twice")
                samples[String(match.1)] = Double(String(match.2)) ?? .nan
            }
        }
        return samples
    }

    @Test func countersEndInTotalAndHaveHelp() throws {
        let metrics = PrometheusMetrics(help: ["my.counter": "Counts.\nWith a \\ in it."])
        Counter(label: "my.counter", dimensions: [("path", "a\"b\\c\nd")], factory: metrics).increment(by: 3)
        #expect(
            metrics.text().hasSuffix(
                #"""
                # HELP my_counter_total Counts.\nWith a \\ in it.
                # TYPE my_counter_total counter
                my_counter_total{path="a\"b\\c\nd"} 3

                """#))
    }

    @Test func theSameLabelsAreTheSameSeries() throws {
        Counter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: metrics).increment()
        Counter(label: "c_total", dimensions: [("b", "2"), ("a", "1")], factory: metrics).increment()
        FloatingPointCounter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: metrics).increment(by: 0.5)
        #expect(try samples(metrics)[#"c_total{a="1",b="2"}"#] == 2.5)
    }

    @Test func timersAreHistogramsInSeconds() throws {
        let timer = Timer(label: "work", dimensions: [("kind", "x")], factory: metrics)
        timer.recordMilliseconds(3)
        timer.recordSeconds(2)
        timer.recordSeconds(3600)
        let samples = try samples(metrics)
        #expect(metrics.text().contains("# TYPE work_seconds histogram\n"))
        #expect(samples[#"work_seconds_bucket{kind="x",le="0.0025"}"#] == 0)
        #expect(samples[#"work_seconds_bucket{kind="x",le="0.005"}"#] == 1)
        #expect(samples[#"work_seconds_bucket{kind="x",le="2.5"}"#] == 2)
        #expect(samples[#"work_seconds_bucket{kind="x",le="30"}"#] == 2)
        #expect(samples[#"work_seconds_bucket{kind="x",le="+Inf"}"#] == 3)
        #expect(samples[#"work_seconds_count{kind="x"}"#] == 3)
        #expect(abs((samples[#"work_seconds_sum{kind="x"}"#] ?? 0) - 3602.003) < 1e-9)
    }

    @Test func recordersAreHistogramsAndGaugesAndMetersAreGauges() throws {
        let recorder = Recorder(label: "sizes", factory: metrics)
        for size in [1, 7, 7, 3_000_000] { recorder.record(size) }
        Gauge(label: "gauge", factory: metrics).record(7)
        Gauge(label: "gauge", factory: metrics).record(-1.5)
        let meter = Meter(label: "meter", factory: metrics)
        meter.set(5)
        meter.increment(by: 2)
        meter.decrement(by: 10)
        let samples = try samples(metrics)
        #expect(samples[#"sizes_bucket{le="1"}"#] == 1)
        #expect(samples[#"sizes_bucket{le="10"}"#] == 3)
        #expect(samples[#"sizes_bucket{le="+Inf"}"#] == 4)
        #expect(samples["sizes_sum"] == 3_000_015)
        #expect(samples["gauge"] == -1.5)
        #expect(samples["meter"] == -3)
    }

    @Test(arguments: [
        ("", "__total"), ("1a", "_1a_total"), ("a-b.c d", "a_b_c_d_total"), ("é", "__total"), ("a\0b", "a_b_total"),
        ("ns:x", "ns:x_total"), ("e\u{301}", "e__total"),
    ])
    func namesBecomeValid(label: String, name: String) throws {
        Counter(label: label, factory: metrics).increment()
        #expect(try samples(metrics)[name] == 1)
    }

    @Test func labelsBecomeValid() throws {
        let labels = [
            ("le", "1"), ("__name__", "2"), ("a.b", "3"), ("a_b", "4"), ("", "5"), ("q", "\"\u{301}\r\n\\\u{301}\0"),
        ]
        Recorder(label: "r", dimensions: labels, factory: metrics).record(1)
        let written =
            #"_="5",a_b="3",exported___name__="2",exported_le="1",q="\""# + "\u{301}\r" + #"\n\\"# + "\u{301}\0\""
        let found = try samples(metrics).keys.filter { $0.hasPrefix("r_count") }
        #expect(found == ["r_count{\(written)}"])
    }

    @Test func noValueTraps() throws {
        let strange: [Double] = [
            .nan, .infinity, -.infinity, -1, -0.0, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
        ]
        let counter = metrics.makeCounter(label: "c", dimensions: [])
        for value in [Int64.min, -1, 0, .max, .max] { counter.increment(by: value) }
        let floating = metrics.makeFloatingPointCounter(label: "f", dimensions: [])
        let gauge = metrics.makeRecorder(label: "g", dimensions: [], aggregate: false)
        let sizes = metrics.makeRecorder(label: "s", dimensions: [], aggregate: true)
        let meter = metrics.makeMeter(label: "m", dimensions: [])
        for value in strange {
            floating.increment(by: value)
            for recorder in [gauge, sizes] { recorder.record(value) }
            meter.set(value)
            meter.increment(by: value)
            meter.decrement(by: value)
            _ = try samples(metrics)
        }
        let timer = metrics.makeTimer(label: "t", dimensions: [])
        for value in [Int64.min, -1, 0, .max] {
            timer.recordNanoseconds(value)
            gauge.record(value)
            sizes.record(value)
            meter.set(value)
        }
        let samples = try samples(metrics)
        #expect(samples["c_total"] == 2 * Double(Int64.max))
        #expect(samples["f_total"] == .greatestFiniteMagnitude)
        #expect(samples["t_seconds_count"] == 4)
        #expect(samples["s_count"] == 8)
        metrics.makeRecorder(label: "n", dimensions: [], aggregate: false).record(.nan)
        metrics.makeRecorder(label: "i", dimensions: [], aggregate: false).record(-.infinity)
        #expect(metrics.text().contains("\nn NaN\n"))
        #expect(metrics.text().contains("\ni -Inf\n"))
    }

    @Test func furtherSeriesAreDroppedAndCounted() throws {
        let metrics = PrometheusMetrics(seriesLimit: 2)
        for number in 1...4 {
            Counter(label: "c", dimensions: [("n", "\(number)")], factory: metrics).increment()
        }
        Timer(label: "t", factory: metrics).recordSeconds(1)
        var all = try samples(metrics)
        #expect(all[#"c_total{n="1"}"#] == 1)
        #expect(all[#"c_total{n="2"}"#] == 1)
        #expect(all["disco_metrics_dropped_values_total"] == 3)
        #expect(all.count == 3)
        // One that is destroyed makes room.
        Counter(label: "c", dimensions: [("n", "1")], factory: metrics).destroy()
        Counter(label: "c", dimensions: [("n", "5")], factory: metrics).increment()
        all = try samples(metrics)
        #expect(all[#"c_total{n="1"}"#] == nil)
        #expect(all[#"c_total{n="5"}"#] == 1)
    }

    @Test func aNameHasOneKindOfMetric() throws {
        Gauge(label: "a_total", factory: metrics).record(1)
        Counter(label: "a", factory: metrics).increment()
        Gauge(label: "h_sum", factory: metrics).record(5)
        Recorder(label: "h", factory: metrics).record(1)
        let all = try samples(metrics)
        #expect(all["a_total"] == 1)
        #expect(all["h_sum"] == 5)
        #expect(all["h_count"] == nil)
        #expect(all["disco_metrics_dropped_values_total"] == 2)
    }

    @Test func manyThreadsCountExactly() async throws {
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<500 {
                        Counter(label: "c", dimensions: [("n", "\(number % 5)")], factory: metrics).increment()
                        Timer(label: "t", factory: metrics).recordMilliseconds(number)
                        if number % 100 == task { _ = metrics.text() }
                    }
                }
            }
        }
        let all = try samples(metrics)
        for number in 0..<5 { #expect(all[#"c_total{n="\#(number)"}"#] == 800) }
        #expect(all["t_seconds_count"] == 4000)
    }

    @Test func aServerShowsRequestsAppendsBatchesFollowersPoolHeadAndLag() async throws {
        let folder = try TemporaryFolder()
        let store = try await SQLiteEventStore.open(path: folder.events)
        let readModels = try await SQLiteReadModelStore.open(path: folder.file("models.sqlite"))
        try await withServer(store, checkpoints: readModels, metrics: metrics) { server in
            let event = #"{"stream":"a-1","type":"T","payload":{}}"#
            _ = try await server.ask("POST", "/appends", #"{"events":[\#(event),\#(event)]}"#)
            _ = try await server.ask("POST", "/appends", #"[{"events":[\#(event)]},{"events":[\#(event)]}]"#)
            _ = try await server.ask("GET", "/nothing/here")
            _ = try await server.ask("PATCH", "/head")
            let step = ConsumerStep(
                consumer: "balances", from: .start, to: Checkpoint(position: 1, store: try await store.identity()))
            try await readModels.save(step)
            let follower = try await server.open("GET", "/events/live")
            let answer = try await server.ask("GET", "/metrics")
            #expect(answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
            let all = try samples(metrics)
            #expect(all[#"disco_server_requests_total{method="POST",route="/appends",status="201"}"#] == 1)
            #expect(all[#"disco_server_requests_total{method="POST",route="/appends",status="200"}"#] == 1)
            #expect(all[#"disco_server_requests_total{method="GET",route="none",status="404"}"#] == 1)
            #expect(all[#"disco_server_requests_total{method="other",route="none",status="405"}"#] == 1)
            #expect(all[#"disco_server_request_seconds_count{method="POST",route="/appends"}"#] == 2)
            #expect(all["disco_server_appends_total"] == 3)
            #expect(all["disco_server_appended_events_total"] == 4)
            #expect(all["disco_server_batch_appends_sum"] == 2)
            #expect(all["disco_server_followers"] == 1)
            #expect(all["disco_server_head"] == 4)
            #expect(all["disco_server_store_up"] == 1)
            #expect(all["disco_server_pool_connections"] == 4)
            // The follower may be reading at this moment.
            #expect([0, 1].contains(all["disco_server_pool_busy_connections"]))
            #expect(all["disco_server_pool_waiting_reads"] == 0)
            #expect(all["disco_server_waiting_appends"] == 0)
            let lag = #"disco_server_consumer_lag_events{consumer="balances",slices="0-\#(StreamID.slices - 1)"}"#
            #expect(all[lag] == 3)
            // Every metric of the server says what it is.
            for line in answer.text.split(separator: "\n") where line.hasPrefix("# TYPE disco_server_") {
                #expect(answer.text.contains("# HELP \(line.split(separator: " ")[2]) "), "\(line)")
            }
            try await readModels.reset("balances")
            _ = try await server.ask("GET", "/metrics")
            #expect(try samples(metrics)[lag] == nil)
            _ = follower
        }
    }

    @Test func aStoreThatDoesNotAnswerIsShownAsDown() async throws {
        let store = InMemoryEventStore()
        try await withServer(store, metrics: metrics) { server in
            await store.close()
            let answer = try await server.ask("GET", "/metrics")
            #expect(answer.status == 200)
            #expect(answer.text.contains("\ndisco_server_store_up 0\n"))
            let ready = try await server.ask("GET", "/health/ready")
            #expect(ready.status == 503)
        }
    }
}
#endif
