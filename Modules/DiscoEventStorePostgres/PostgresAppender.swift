#if Postgres
    import DiscoCore
    import DiscoEventStore

    /// Records batches of appends, each batch by one call of the SQL function `append` in a transaction of its own.
    struct PostgresAppender: BatchAppender {
        private let settings: PostgresEventStore.Settings
        private let hub: WakeUpHub
        private let notifier: PostgresNotifier?
        private let session: OwnedByLane
        private let transactions: Transactions
        private let appendSQL: String
        private let singleSQL: String

        /// - Parameters:
        ///   - notifier: tells other processes.
        ///   - trouble: that of the store, shared by all its connections.
        init(
            _ settings: PostgresEventStore.Settings, hub: WakeUpHub, notifier: PostgresNotifier?,
            trouble: PostgresTrouble
        ) {
            self.settings = settings
            self.hub = hub
            self.notifier = notifier
            // The server does not notice that a client has given up while it waits for a lock: it must end by itself
            // before that.
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
            /// A statement alone is one, at the level that the connection was set to.
            case implicit
            /// Behind a pooler, where the next statement may run on another connection.
            case explicit
        }

        /// `@unchecked Sendable`: `commit` alone touches it, and the lane calls that on its own thread, one batch at a
        /// time.
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
                    // Nothing was sent yet: certainly not recorded.
                    throw PostgresError.translate(error)
                }
                do {
                    return try commit(batch, repeatsIDs, connection)
                } catch let failure as PostgresFailure where failure.isLost || !connection.isAlive {
                    session.drop()
                    throw OutcomeUnknown(append: batch[0], underlying: PostgresError.translate(failure))
                } catch let failure as PostgresFailure {
                    // The server undid it all.
                    if transactions == .explicit { try? connection.run(script: "ROLLBACK") }
                    // One that takes no changes may have become a standby: the next connection may find the primary.
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

        /// Calls a function that answers with a row, in a transaction of its own.
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
                throw PostgresFailure(sqlState: nil, message: "the function gave no answer", isLost: true)
            }
            return results[0]
        }

        /// What was recorded before, read now that the batch is committed: a failure must not say that it is not
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

        /// With the events that the caller has not seen, read now that the lock is released.
        private func withUnseen(_ conflict: VersionConflict, _ connection: PostgresConnection) -> VersionConflict {
            conflict.withUnseen { read in try PostgresReading(settings).page(read, connection).events }
        }
    }
#endif
