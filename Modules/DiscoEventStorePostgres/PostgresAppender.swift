#if Postgres
import DiscoCore
import DiscoEventStore

/// Records batches of appends, each by one call of the SQL function `append` in its own transaction.
struct PostgresAppender: BatchAppender {
    private let settings: PostgresEventStore.Settings
    private let hub: WakeUpHub
    private let notifier: PostgresNotifier?
    private let session: OwnedByLane
    private let transactions: Transactions
    private let appendSQL: String
    private let singleSQL: String

    /// - Parameters:
    ///   - notifier: notifies other processes.
    ///   - trouble: logs connection problems; shared by all connections of the store.
    init(
        _ settings: PostgresEventStore.Settings, hub: WakeUpHub, notifier: PostgresNotifier?,
        trouble: PostgresTrouble
    ) {
        self.settings = settings
        self.hub = hub
        self.notifier = notifier
        // The server does not notice that a client has given up while it waits for a lock, so the lock timeout must
        // expire before that.
        let most = Int(settings.connection.options.requestTimeout / .milliseconds(1)) * 4 / 5
        session = OwnedByLane(
            PostgresSession(
                settings.connection.options,
                setUp: settings.connection.preparesStatements
                    ? (PostgresEventStore.relied + [
                        "lock_timeout = \(max(1, most))", "default_transaction_isolation = 'read committed'",
                        "default_transaction_read_only = off",
                    ]).map { PostgresStatement("SET " + $0) } : [], trouble: trouble))
        transactions = settings.connection.preparesStatements ? .implicit : .explicit
        appendSQL = settings.sql(PostgresBatch.sql)
        singleSQL = settings.sql(PostgresSingle.sql)
    }

    private enum Transactions {
        /// A single statement is a transaction, at the isolation level set for the connection.
        case implicit
        /// Behind a pooler, where the next statement may run on another connection.
        case explicit
    }

    /// `@unchecked Sendable`: only `commit` touches it, and the lane calls `commit` on its own thread, one batch at
    /// a time.
    private final class OwnedByLane: @unchecked Sendable {
        let session: PostgresSession
        init(_ session: PostgresSession) { self.session = session }
    }

    func commit(_ batch: [Append]) throws -> [BatchOutcome] {
        let session = session.session
        var attempts = 5
        var repeatsIDs = false
        while true {
            attempts -= 1
            let connection: PostgresConnection
            do {
                connection = try session.connected()
            } catch {
                // Nothing was sent yet, so nothing is recorded.
                throw PostgresError.translate(error)
            }
            do {
                return try commit(batch, repeatsIDs, connection)
            } catch let failure as PostgresFailure where failure.isLost || !connection.isAlive {
                session.drop()
                throw OutcomeUnknown(append: batch[0], underlying: PostgresError.translate(failure))
            } catch let failure as PostgresFailure {
                // The server rolled everything back.
                if transactions == .explicit { try? connection.run(script: "ROLLBACK") }
                // A read-only server may have become a standby: the next connection may find the primary.
                if failure.sqlState == "25006" { session.drop() }
                let isRepeat = failure.isUniqueViolation && !repeatsIDs
                if isRepeat { repeatsIDs = true }
                if !(isRepeat || failure.mayPass || failure.isOfStalePlan) || attempts == 0 {
                    throw PostgresError.translate(failure)
                }
            }
        }
    }

    private func commit(
        _ batch: [Append], _ repeatsIDs: Bool, _ connection: PostgresConnection
    ) throws -> [BatchOutcome] {
        if !repeatsIDs, let single = PostgresSingle(batch) {
            if let answer = single.answer(try call(singleSQL, single.values, connection)) {
                hub.advance(to: answer.head)
                notifier?.notify()
                return [.appended(answer.appended)]
            }
        }
        var laidOut = PostgresBatch(batch)
        let values = laidOut.values(repeatsIDs: repeatsIDs)
        let answer = laidOut.answer(try call(appendSQL, values, connection))
        hub.advance(to: answer.head)
        notifier?.notify()
        return try answer.outcomes.map { outcome in
            switch outcome {
            case .appended(let appended): .appended(appended)
            case .refused(let conflict as VersionConflict): .refused(withUnseen(conflict, connection))
            case .refused(let error): .refused(error)
            case .repeated(let first, let count): try repeated(first, count, connection, batch)
            }
        }
    }

    /// Calls a function that returns a row, in its own transaction.
    private func call(
        _ sql: String, _ values: [PostgresValue], _ connection: PostgresConnection
    ) throws -> PostgresResult {
        let statement = PostgresStatement(sql, values)
        let results =
            switch transactions {
            case .implicit: try connection.run([statement])
            case .explicit:
                Array(try connection.run([.beginReadCommitted, statement, .commit]).dropFirst().dropLast())
            }
        guard results.count == 1, results[0].count == 1 else {
            throw PostgresFailure(sqlState: nil, message: "the function returned no row", isLost: true)
        }
        return results[0]
    }

    /// Reads events recorded earlier, after the batch is committed: an error must not say that they are not
    /// recorded.
    private func repeated(
        _ first: Int64, _ count: Int64, _ connection: PostgresConnection, _ batch: [Append]
    ) throws -> BatchOutcome {
        do {
            let events = try PostgresReading(settings).recorded(first, count, connection)
            return .appended(Appended(events: events, repeated: true))
        } catch {
            throw OutcomeUnknown(append: batch[0], underlying: PostgresError.translate(error))
        }
    }

    /// Adds the events that the caller has not seen, read after the lock is released.
    private func withUnseen(_ conflict: VersionConflict, _ connection: PostgresConnection) -> VersionConflict {
        conflict.withUnseen { read in try PostgresReading(settings).page(read, connection).events }
    }
}
#endif
