#if Postgres
import DiscoCore
import Foundation

/// A connection that is opened when it is needed, and reopened after it was lost. It belongs to one thread.
final class PostgresSession {
    private let options: PostgresConnection.Options
    private let setUp: [PostgresStatement]
    private var connection: PostgresConnection?
    private var backoff = PostgresBackoff()

    private let trouble: PostgresTrouble?

    /// - Parameters:
    ///   - setUp: the statements to run on each new connection.
    ///   - trouble: logs connection problems; `nil` if the caller logs them itself.
    init(
        _ options: PostgresConnection.Options, setUp: [PostgresStatement] = [], trouble: PostgresTrouble? = nil
    ) {
        self.options = options
        self.setUp = setUp
        self.trouble = trouble
    }

    /// Returns an open connection; pauses before it tries to connect again after a failure.
    ///
    /// - Throws: ``PostgresFailure``; nothing was done.
    func connected() throws -> PostgresConnection {
        if let connection, connection.isAlive { return connection }
        connection = nil
        if let pause = backoff.pause() { Thread.sleep(forTimeInterval: pause) }
        do {
            let connection = try PostgresConnection(options)
            for statement in setUp { try connection.run([statement]) }
            backoff = PostgresBackoff()
            self.connection = connection
            trouble?.ends()
            return connection
        } catch {
            backoff.failed()
            trouble?.begins(error)
            throw error
        }
    }

    func drop() { connection = nil }

    /// Makes the next attempt to connect immediate: the caller has already waited.
    func forgive() { backoff = PostgresBackoff() }

    /// Runs `body` on the connection, and drops the connection if it was lost.
    func run<Result>(_ body: (PostgresConnection) throws -> Result) throws -> Result {
        let connection = try connected()
        do {
            return try body(connection)
        } catch let failure as PostgresFailure where failure.isLost || !connection.isAlive {
            drop()
            throw failure
        }
    }
}

/// Logs once for all connections of a store when its server cannot be reached, and once when it can be reached
/// again.
final class PostgresTrouble: Sendable {
    private let log: Locked<TroubleLog>
    /// Errors while the store is opened are thrown to the caller instead of logged.
    private let isOpen = Locked(false)

    /// - Parameter subject: the store, for example "The event store disco".
    init(_ subject: String, _ context: StoreContext) { log = Locked(TroubleLog(subject, context.logger)) }

    /// Marks the store as open: from now on, problems are logged.
    func opened() { isOpen.withLock { $0 = true } }

    func begins(_ error: any Error) {
        guard isOpen.withLock({ $0 }) else { return }
        log.withLock { $0.begins("cannot reach its server and is retrying", PostgresError.translate(error)) }
    }

    func ends() { log.withLock { $0.ends("can reach its server again") } }
}

/// How long to wait before the next attempt to connect: nothing at first, then 50 ms, doubling each time up to two
/// seconds. Each wait is up to a fifth shorter, so that clients do not all reconnect at once when a server comes
/// back.
struct PostgresBackoff {
    private(set) var failures = 0

    mutating func failed() { failures += 1 }

    /// - Parameter jitter: from 0 to 1.
    func pause(jitter: Double = .random(in: 0...1)) -> Double? {
        if failures == 0 { return nil }
        return min(2, 0.05 * Double(1 << min(failures - 1, 10))) * (1 - 0.2 * jitter)
    }
}
#endif
