#if Postgres
    import DiscoCore
    import DiscoEventStore

    /// Notices what other processes append: it listens for notifications, and asks for the head at intervals all the
    /// same, so that a lost notification delays and never hides an event.
    ///
    /// Where it cannot listen (a wrong URL, a standby, a pooler) another connection asks for the head instead, and
    /// trying to listen goes on beside it.
    final class PostgresListener: Sendable {
        fileprivate struct State: Sendable {
            /// Nil until it is known.
            var isListening: Bool?
        }

        private let worker: Worker<State>

        init(_ settings: PostgresSettings, hub: WakeUpHub) {
            let state = State(isListening: settings.notifications == .off ? false : nil)
            worker = Worker(names: ["disco-poll", "disco-listen"], state: state) { loop in
                if loop.index == 0 {
                    var polling = Polling(settings)
                    while !loop.isEnding { polling.turn(hub, loop) }
                } else if settings.notifications != .off {
                    var listening = Listening(settings)
                    while !loop.isEnding { listening.turn(hub, loop) }
                }
            }
        }

        func close() async { await worker.end() }
    }

    extension Worker<PostgresListener.State>.Loop {
        fileprivate func listens(_ isListening: Bool) {
            withState { $0.isListening = isListening }
            wake()
        }
    }

    /// The connection that is told of appends.
    private struct Listening {
        private let settings: PostgresSettings
        private let session: PostgresSession
        private var backoff = PostgresBackoff()
        private var trouble: TroubleLog

        init(_ settings: PostgresSettings) {
            self.settings = settings
            session = PostgresSession(
                settings.listening ?? settings.connection,
                setUp: [PostgresStatement("LISTEN \(settings.channel)")])
            trouble = TroubleLog("The event store \(settings.schema)", settings.logger)
        }

        /// Asks for the head, since a connection lost and made anew has missed notifications, and waits for the next one.
        mutating func turn(_ hub: WakeUpHub, _ loop: Worker<PostgresListener.State>.Loop) {
            do {
                try session.run { connection in
                    hub.advance(to: try PostgresReading(settings).head(connection))
                    loop.listens(true)
                    backoff = PostgresBackoff()
                    trouble.ends("is told of new events again")
                    // One that came with the answer: nothing more may come for it.
                    if connection.takeNotifications() { return }
                    let deadline = ContinuousClock.now + PollInterval.whenTold
                    repeat {
                        // In short steps, to notice that it is to stop.
                        let step = min(deadline, ContinuousClock.now + .milliseconds(50))
                        while ContinuousClock.now < step, try connection.waitForInput(until: step) {
                            if connection.takeNotifications() { return }
                        }
                    } while ContinuousClock.now < deadline && !loop.isEnding
                }
            } catch {
                loop.listens(false)
                trouble.begins(
                    "cannot listen for notifications and asks for new events at intervals",
                    PostgresError.translate(error))
                session.drop()
                session.forgive()
                backoff.failed()
                loop.pause(for: .seconds(backoff.pause() ?? 0))
            }
        }
    }

    /// The connection that asks for the head at intervals, while nothing is told.
    private struct Polling {
        private let settings: PostgresSettings
        private let session: PostgresSession
        private var interval = PollInterval()
        private var backoff = PostgresBackoff()
        private var trouble: TroubleLog

        init(_ settings: PostgresSettings) {
            self.settings = settings
            var options = settings.connection
            options.preparesStatements = false
            session = PostgresSession(options)
            trouble = TroubleLog("The event store \(settings.schema)", settings.logger)
        }

        mutating func turn(_ hub: WakeUpHub, _ loop: Worker<PostgresListener.State>.Loop) {
            // Where nobody knows yet whether it can listen, it is given a second to find out.
            let isTold = loop.withState { $0.isListening } ?? true
            if isTold {
                session.drop()
                let cannotListen: Bool? = loop.wait(for: .seconds(1)) { $0.isListening == false ? true : nil }
                if cannotListen == nil, loop.withState({ $0.isListening == nil }) { loop.listens(false) }
                return
            }
            do {
                let before = hub.head
                hub.advance(to: try session.run { try PostgresReading(settings).head($0) })
                backoff = PostgresBackoff()
                trouble.ends("reaches its server again")
                interval.turn(moved: hub.head > before)
                loop.pause(for: interval.next)
            } catch {
                trouble.begins("cannot ask for new events and tries again", PostgresError.translate(error))
                session.forgive()
                backoff.failed()
                loop.pause(for: .seconds(backoff.pause() ?? 0))
            }
        }
    }

    /// How long to wait before the head is asked for again: seldom where notifications come, otherwise soon after
    /// something has happened and less and less often while nothing does.
    struct PollInterval {
        static let whenTold = Duration.seconds(1)
        private static let most = Duration.milliseconds(100)

        private(set) var next = Duration.milliseconds(5)

        mutating func turn(moved: Bool) { next = moved ? .milliseconds(5) : min(Self.most, next * 2) }
    }

    /// Tells other processes that there are new events, off the path of the appends: what is asked for while it tells
    /// is told at once afterwards.
    final class PostgresNotifier: Sendable {
        /// Whether it is asked to tell.
        private let worker: Worker<Bool>

        init(_ settings: PostgresSettings) {
            worker = Worker(name: "disco-notify", state: false) { loop in
                let session = PostgresSession(settings.connection)
                let notify = PostgresStatement("SELECT pg_notify($1, '')", [.text(settings.channel)])
                while Self.next(loop) {
                    // A notification that fails is made good by the others' own asking. Notifying commits something,
                    // which need not be flushed.
                    try? session.run { connection in
                        _ = try connection.run([
                            .beginReadCommitted, PostgresStatement("SET LOCAL synchronous_commit = off"), notify,
                            .commit,
                        ])
                    }
                }
            }
        }

        private static func next(_ loop: Worker<Bool>.Loop) -> Bool {
            loop.wait { isAsked -> Bool? in
                defer { isAsked = false }
                return isAsked ? true : nil
            } ?? false
        }

        func notify() { worker.update { $0 = true } }

        func close() async { await worker.end() }
    }
#endif
