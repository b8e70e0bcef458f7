#if Postgres
import DiscoCore
import DiscoEventStore

/// Detects changes by other processes: listens for notifications, and also polls at intervals, so that a lost
/// notification delays changes but never hides them.
///
/// If it cannot listen (a wrong URL, a standby, a pooler), another connection polls instead, while attempts to
/// listen continue.
final class PostgresListener: Sendable {
    /// What to listen for, and how to read the position that it has reached.
    struct Subject: Sendable {
        /// The name in log messages, for example "The event store disco".
        var name: String
        var channel: String
        var look: @Sendable (PostgresConnection) throws -> Position
    }

    fileprivate struct State: Sendable {
        /// `nil` until it is known.
        var isListening: Bool?
    }

    private let worker: Worker<State>

    init(_ settings: PostgresConnectionSettings, _ subject: Subject, _ context: StoreContext, hub: WakeUpHub) {
        let state = State(isListening: settings.notifications == .off ? false : nil)
        worker = Worker(names: ["disco-poll", "disco-listen"], state: state) { loop in
            if loop.index == 0 {
                var polling = Polling(settings, subject, context)
                while !loop.isEnding { polling.turn(hub, loop) }
            } else if let options = settings.listening {
                var listening = Listening(options, subject, context)
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

/// The connection that listens.
private struct Listening {
    private let subject: PostgresListener.Subject
    private let session: PostgresSession
    private var backoff = PostgresBackoff()
    private var trouble: TroubleLog

    init(_ options: PostgresConnection.Options, _ subject: PostgresListener.Subject, _ context: StoreContext) {
        self.subject = subject
        session = PostgresSession(options, setUp: [PostgresStatement("LISTEN \(subject.channel)")])
        trouble = TroubleLog(subject.name, context.logger)
    }

    /// Reads how far others have come, because a connection that was lost and reopened has missed notifications,
    /// and waits for the next notification.
    mutating func turn(_ hub: WakeUpHub, _ loop: Worker<PostgresListener.State>.Loop) {
        do {
            try session.run { connection in
                hub.advance(to: try subject.look(connection))
                loop.listens(true)
                backoff = PostgresBackoff()
                trouble.ends("receives notifications again")
                // A notification that came with the response: there may be no further input for it.
                if connection.takeNotifications() { return }
                let deadline = ContinuousClock.now + PollInterval.whenTold
                repeat {
                    // In short steps, to notice when to end.
                    let step = min(deadline, ContinuousClock.now + .milliseconds(50))
                    while ContinuousClock.now < step, try connection.waitForInput(until: step) {
                        if connection.takeNotifications() { return }
                    }
                } while ContinuousClock.now < deadline && !loop.isEnding
            }
        } catch {
            loop.listens(false)
            trouble.begins(
                "cannot listen for notifications and polls for changes instead",
                PostgresError.translate(error))
            session.drop()
            session.forgive()
            backoff.failed()
            loop.pause(for: .seconds(backoff.pause() ?? 0))
        }
    }
}

/// The connection that polls, while there are no notifications.
private struct Polling {
    private let subject: PostgresListener.Subject
    private let session: PostgresSession
    private var interval = PollInterval()
    private var backoff = PostgresBackoff()
    private var trouble: TroubleLog

    init(_ settings: PostgresConnectionSettings, _ subject: PostgresListener.Subject, _ context: StoreContext) {
        self.subject = subject
        var options = settings.options
        options.preparesStatements = false
        session = PostgresSession(options)
        trouble = TroubleLog(subject.name, context.logger)
    }

    mutating func turn(_ hub: WakeUpHub, _ loop: Worker<PostgresListener.State>.Loop) {
        // While it is unknown whether it can listen, it gets a second to find out.
        let isTold = loop.withState { $0.isListening } ?? true
        if isTold {
            session.drop()
            let cannotListen: Bool? = loop.wait(for: .seconds(1)) { $0.isListening == false ? true : nil }
            if cannotListen == nil, loop.withState({ $0.isListening == nil }) { loop.listens(false) }
            return
        }
        do {
            let before = hub.head
            hub.advance(to: try session.run { try subject.look($0) })
            backoff = PostgresBackoff()
            trouble.ends("can poll for changes again")
            interval.turn(moved: hub.head > before)
            loop.pause(for: interval.next)
        } catch {
            trouble.begins("cannot poll for changes and is retrying", PostgresError.translate(error))
            session.forgive()
            backoff.failed()
            loop.pause(for: .seconds(backoff.pause() ?? 0))
        }
    }
}

/// The interval between polls: long while notifications come; otherwise short after a change, and growing while
/// nothing changes.
struct PollInterval {
    static let whenTold = Duration.seconds(1)
    private static let most = Duration.milliseconds(100)

    private(set) var next = Duration.milliseconds(5)

    mutating func turn(moved: Bool) { next = moved ? .milliseconds(5) : min(Self.most, next * 2) }
}

/// Notifies other processes of changes, in the background: a request made during a notification is sent right after
/// it.
final class PostgresNotifier: Sendable {
    /// Whether a notification is requested.
    private let worker: Worker<Bool>

    /// - Parameter subject: the store's name, for log messages.
    init(_ options: PostgresConnection.Options, channel: String, subject: String, _ context: StoreContext) {
        worker = Worker(name: "disco-notify", state: false) { loop in
            let session = PostgresSession(options)
            let notify = PostgresStatement("SELECT pg_notify($1, '')", [.text(channel)])
            var trouble = TroubleLog(subject, context.logger)
            while Self.next(loop) {
                do {
                    // Notifying needs a commit, which need not be flushed.
                    try session.run { connection in
                        _ = try connection.run([
                            .beginReadCommitted, PostgresStatement("SET LOCAL synchronous_commit = off"), notify,
                            .commit,
                        ])
                    }
                    trouble.ends("notifies other processes again")
                } catch {
                    // The other processes' polling makes up for it.
                    trouble.begins(
                        "cannot notify other processes, which detect changes later", PostgresError.translate(error))
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
