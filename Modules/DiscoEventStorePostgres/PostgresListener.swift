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
            var isStopping = false
            /// Nil until it is known.
            var isListening: Bool?
        }

        private let state: Locked<State>
        private let threads: [OwnThread]

        init(_ settings: PostgresSettings, hub: WakeUpHub) {
            let state = Locked(State(isListening: settings.notifications == .off ? false : nil))
            self.state = state
            let polling = OwnThread(name: "disco-poll") {
                var polling = Polling(settings)
                while !state.withLock({ $0.isStopping }) { polling.turn(hub, state) }
            }
            let listening = OwnThread(name: "disco-listen") {
                if settings.notifications == .off { return }
                var listening = Listening(settings)
                while !state.withLock({ $0.isStopping }) { listening.turn(hub, state) }
            }
            threads = [polling, listening]
        }

        deinit { stop() }

        func close() async {
            stop()
            for thread in threads { await thread.end() }
        }

        private func stop() {
            state.withLock { $0.isStopping = true }
            state.signal()
        }
    }

    extension Locked<PostgresListener.State> {
        fileprivate func listens(_ isListening: Bool) {
            withLock { $0.isListening = isListening }
            signal()
        }

        /// Until the time is over, or it is to stop.
        fileprivate func pause(for time: Duration) { _ = waiting(for: time) { $0.isStopping ? true : nil } }
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
        mutating func turn(_ hub: WakeUpHub, _ state: Locked<PostgresListener.State>) {
            do {
                try session.run { connection in
                    hub.advance(to: try PostgresReading(settings).head(connection))
                    state.listens(true)
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
                    } while ContinuousClock.now < deadline && !state.withLock { $0.isStopping }
                }
            } catch {
                state.listens(false)
                trouble.begins(
                    "cannot listen for notifications and asks for new events at intervals",
                    PostgresError.translate(error))
                session.drop()
                session.forgive()
                backoff.failed()
                state.pause(for: .seconds(backoff.pause() ?? 0))
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

        mutating func turn(_ hub: WakeUpHub, _ state: Locked<PostgresListener.State>) {
            // Where nobody knows yet whether it can listen, it is given a second to find out.
            let isTold = state.withLock { $0.isListening } ?? true
            if isTold {
                session.drop()
                let change: Bool? = state.waiting(for: .seconds(1)) { state in
                    state.isStopping || state.isListening == false ? true : nil
                }
                if change == nil, state.withLock({ $0.isListening == nil }) { state.listens(false) }
                return
            }
            do {
                let before = hub.head
                hub.advance(to: try session.run { try PostgresReading(settings).head($0) })
                backoff = PostgresBackoff()
                trouble.ends("reaches its server again")
                interval.turn(moved: hub.head > before)
                state.pause(for: interval.next)
            } catch {
                trouble.begins("cannot ask for new events and tries again", PostgresError.translate(error))
                session.forgive()
                backoff.failed()
                state.pause(for: .seconds(backoff.pause() ?? 0))
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
        private struct State: Sendable {
            var isAsked = false
            var isClosing = false
        }

        private let state: Locked<State>
        private let thread: OwnThread

        init(_ settings: PostgresSettings) {
            let state = Locked(State())
            self.state = state
            thread = OwnThread(name: "disco-notify") {
                let session = PostgresSession(settings.connection)
                let notify = PostgresStatement("SELECT pg_notify($1, '')", [.text(settings.channel)])
                while Self.next(state) {
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

        deinit { stop() }

        private static func next(_ state: Locked<State>) -> Bool {
            state.waiting { state -> Bool? in
                if state.isAsked {
                    state.isAsked = false
                    return true
                }
                return state.isClosing ? false : nil
            } ?? false
        }

        func notify() {
            state.withLock { $0.isAsked = true }
            state.signal()
        }

        func close() async {
            stop()
            await thread.end()
        }

        private func stop() {
            state.withLock { $0.isClosing = true }
            state.signal()
        }
    }
#endif
