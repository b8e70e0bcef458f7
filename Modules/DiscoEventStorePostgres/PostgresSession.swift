#if Postgres
    import DiscoCore
    import Foundation

    /// A connection that is made when it is needed and made anew when it was lost. It belongs to one thread.
    final class PostgresSession {
        private let options: PostgresConnection.Options
        private let setUp: [PostgresStatement]
        private var connection: PostgresConnection?
        private var backoff = PostgresBackoff()

        private let trouble: PostgresTrouble?

        /// - Parameters:
        ///   - setUp: what is run on each new connection.
        ///   - trouble: where it is logged that there is no connection; nil for whoever logs that itself.
        init(
            _ options: PostgresConnection.Options, setUp: [PostgresStatement] = [], trouble: PostgresTrouble? = nil
        ) {
            self.options = options
            self.setUp = setUp
            self.trouble = trouble
        }

        /// Waits a little before it tries again to connect in vain.
        ///
        /// - Throws: ``PostgresFailure``, with nothing done.
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

        /// The next attempt to connect is made at once: whoever asks has waited already.
        func forgive() { backoff = PostgresBackoff() }

        /// Runs `body` on the connection, which is dropped where it was lost.
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

    /// Logs once for all connections of a store when its server is out of reach, and once when it is back.
    final class PostgresTrouble: Sendable {
        private let log: Locked<TroubleLog>
        /// What goes wrong while the store is opened is thrown to whoever opens it.
        private let isOpen = Locked(false)

        /// - Parameter subject: the store, for example "The event store disco".
        init(_ subject: String, _ context: StoreContext) { log = Locked(TroubleLog(subject, context.logger)) }

        /// The store is open: from now on trouble is logged.
        func opened() { isOpen.withLock { $0 = true } }

        func begins(_ error: any Error) {
            guard isOpen.withLock({ $0 }) else { return }
            log.withLock { $0.begins("cannot reach its server and tries again", PostgresError.translate(error)) }
        }

        func ends() { log.withLock { $0.ends("reaches its server again") } }
    }

    /// How long to wait before the next attempt to connect: nothing at first, then 50 ms, twice as long each time, up
    /// to two seconds, up to a fifth less so that clients of a server that comes back do not all come at once.
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
