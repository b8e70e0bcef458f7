public import DiscoCore

/// The health of the consumers in this process, for whoever serves health checks over HTTP.
public struct ConsumersHealth: Hashable, Sendable {
    /// Whether `run()` makes progress; if not, the process should be restarted.
    public var isLive: Bool
    /// Whether this process does its share, and queries see a read model of its version.
    public var isReady: Bool
    /// Why it is not live or not ready.
    public var reasons: [String]

    public init(isLive: Bool = true, isReady: Bool = true, reasons: [String] = []) {
        self.isLive = isLive
        self.isReady = isReady
        self.reasons = reasons
    }
}

extension Consumers {
    /// The health of the consumers while ``run()`` runs, as known in this process: nothing is read for it.
    public var health: ConsumersHealth {
        let reports = reports.all
        let now = client.context.uptime()
        var health = ConsumersHealth(isLive: true, isReady: true, reasons: [])
        if reports.isEmpty {
            return ConsumersHealth(isLive: true, isReady: false, reasons: ["The consumers are not running."])
        }
        for report in reports {
            if now - report.lookedAt > report.late {
                health.isLive = false
                health.reasons.append("The leases of \(report.names) were not looked at for \(now - report.lookedAt).")
            }
            health.reasons += report.problems
        }
        health.isReady = health.reasons.isEmpty
        return health
    }

    /// The status of the consumers, from what is stored: those of other processes too.
    public func status() async throws -> [ConsumerStatus] {
        var result: [ConsumerStatus] = []
        for group in groups { result += try await client.status(of: group.checkpoints, group.consumers.map(\.name)) }
        return result.sorted { $0.consumer < $1.consumer }
    }
}

/// What the groups of consumers have last reported about themselves.
final class HealthReports: Sendable {
    struct Report: Sendable {
        var names: String
        /// The uptime of the last look at the leases, whether it succeeded or not.
        var lookedAt: Duration
        /// After this time without a look, something is wrong.
        var late: Duration
        var problems: [String]
    }

    private let reports = Locked<[String: Report]>([:])

    var all: [Report] { reports.withLock { $0.values.sorted { $0.names < $1.names } } }

    func report(_ report: Report) { reports.withLock { $0[report.names] = report } }
    func ended(_ names: String) { reports.withLock { $0[names] = nil } }
}
