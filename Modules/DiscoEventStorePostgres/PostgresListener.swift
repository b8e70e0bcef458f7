#if Postgres
    import DiscoCore
    import DiscoEventStore

    /// Notices what other processes append: it listens for notifications, and asks for the head at intervals all the
    /// same, so that a lost notification delays and never hides an event.
    final class PostgresListener: Sendable {
        private let stopping: Locked<Bool>
        private let thread: OwnThread

        init(_ settings: PostgresSettings, hub: WakeUpHub) {
            let stopping = Locked(false)
            self.stopping = stopping
            thread = OwnThread(name: "disco-listen") {
                let setUp = settings.notifications == .off ? [] : [PostgresStatement("LISTEN \(settings.channel)")]
                var options = settings.listening ?? settings.connection
                options.preparesStatements = false
                let session = PostgresSession(options, setUp: setUp)
                var interval = PollInterval(isTold: !setUp.isEmpty)
                var backoff = PostgresBackoff()
                while !stopping.withLock({ $0 }) {
                    do {
                        // A connection lost and made anew has missed notifications: the head is asked for at each turn.
                        try session.run { connection in
                            let before = hub.head
                            hub.advance(to: try PostgresReading(settings).head(connection))
                            backoff = PostgresBackoff()
                            interval.turn(moved: hub.head > before)
                            let deadline = ContinuousClock.now + interval.next
                            repeat {
                                // In short steps, to notice that it is to stop.
                                let step = min(deadline, ContinuousClock.now + .milliseconds(50))
                                while ContinuousClock.now < step, try connection.waitForInput(until: step) {
                                    if connection.takeNotifications() { return }
                                }
                            } while ContinuousClock.now < deadline && !stopping.withLock { $0 }
                        }
                    } catch {
                        backoff.failed()
                        _ = stopping.waiting(for: .seconds(backoff.pause() ?? 0)) { $0 ? true : nil }
                    }
                }
            }
        }

        deinit { stop() }

        func close() async {
            stop()
            await thread.end()
        }

        private func stop() {
            stopping.withLock { $0 = true }
            stopping.signal()
        }
    }

    /// How long to wait before the head is asked for again: seldom where notifications come, otherwise soon after
    /// something has happened and less and less often while nothing does.
    struct PollInterval {
        private let isTold: Bool
        private(set) var next = Duration.milliseconds(5)

        init(isTold: Bool) { self.isTold = isTold }

        mutating func turn(moved: Bool) {
            let most = isTold ? Duration.seconds(1) : .milliseconds(100)
            next = isTold ? most : moved ? .milliseconds(5) : min(most, next * 2)
        }
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
