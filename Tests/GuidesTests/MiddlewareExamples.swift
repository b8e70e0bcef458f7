import DiscoCore
import DiscoEventStore
import Logging
import Testing

/// The code of the guide "Middleware".
@Suite struct MiddlewareExamples {
    struct Till: Aggregate {
        let id: String
        var coins = 0

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Till>.Type] = [FillTill.self, TakeCoins.self]

        enum Event: DomainEvent {
            case tillFilled(coins: Int)
            case coinsTaken(coins: Int)
        }

        mutating func apply(_ event: Event) {
            switch event {
            case .tillFilled(let coins): self.coins += coins
            case .coinsTaken(let coins): self.coins -= coins
            }
        }
    }

    struct FillTill: CreateCommand {
        let id: String
        var coins: Int

        var target: CommandTarget<String> { .any(id) }

        func run(on till: Till) -> [Till.Event] { [.tillFilled(coins: coins)] }
    }

    struct TakeCoins: UpdateCommand {
        let id: String
        var coins: Int

        static let rules: [FieldRule<Self>] = [.field(CodingKeys.coins, \.coins, .atLeast(1))]

        func run(on till: Till) throws -> [Till.Event] {
            guard till.coins >= coins else { throw TooFewCoins(coins: till.coins) }
            return [.coinsTaken(coins: coins)]
        }
    }

    struct TooFewCoins: Refusal, Equatable {
        let coins: Int

        var message: String { "There are \(coins) coins." }
    }

    /// Waits for an event that never comes.
    struct AwaitTheThousandth: Query {
        func run(in context: QueryContext) async throws -> Int {
            try await context.client.store.wait(beyond: 999)
            return 1000
        }
    }

    struct User: Sendable {
        let name: String
        var mayTakeCoins = false

        @TaskLocal static var current: User?
    }

    struct NoteUser: Middleware {
        func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
            guard let user = User.current else { return try await next(call) }
            var call = call
            var values = try call.metadata.values?.value().object ?? JSON.Object()
            values["user"] = .string(user.name)
            call.metadata.values = JSONText(.object(values))
            return try await next(call)
        }
    }

    /// Notes what it sees of a call.
    private struct Witness: Middleware {
        let name: String
        let notes: Locked<[String]>

        func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
            note("\(name) sees \(call.name)" + (call.request == nil ? ", which is none" : ""))
            do {
                let answer = try await next(call)
                note("\(name) sees it done")
                return answer
            } catch {
                note("\(name) sees \(ErrorDescription(error).code)")
                throw error
            }
        }

        private func note(_ text: String) { notes.withLock { $0.append(text) } }
    }

    private struct Lines: LogHandler {
        let lines: Locked<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        init(_ lines: Locked<[String]>) { self.lines = lines }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let code = event.metadata?["code"].map { ", \($0)" } ?? ""
            let line = "\(event.level): \(event.message)\(code)"
            lines.withLock { $0.append(line) }
        }
    }

    private let client = EventStoreClient(InMemoryEventStore())
    private let notes = Locked<[String]>([])

    @Test func onlyAuthorizedCallersTakeCoins() async throws {
        let notes = self.notes
        let logger = Logger(label: "guides") { _ in Lines(notes) }
        let orchestrator = Orchestrator(
            client: client, aggregates: [Till.self],
            middleware: [
                LoggingMiddleware(logger: logger),
                TimeLimitMiddleware { call in call.kind == .query ? .seconds(20) : .seconds(60) },
                AuthorizationMiddleware { call in call.name != TakeCoins.name || User.current?.mayTakeCoins == true },
                NoteUser(),
            ])
        try await orchestrator.dispatch(FillTill(id: "front", coins: 9))
        let taken = try await User.$current.withValue(User(name: "ada", mayTakeCoins: true)) {
            try await orchestrator.dispatch(TakeCoins(id: "front", coins: 5))
        }
        #expect(taken.state.coins == 4)
        let events = try await client.events(in: "till-front").collect()
        let users = events.map { $0.metadata["user"]?.string }
        #expect(users == [nil, "ada"])
        #expect(events.allSatisfy { $0.metadata.correlationID != nil })

        await #expect(throws: NotAuthorized(name: "take_coins")) {
            try await orchestrator.dispatch(TakeCoins(id: "front", coins: 1))
        }
        await #expect(throws: TooFewCoins(coins: 4)) {
            try await User.$current.withValue(User(name: "ada", mayTakeCoins: true)) {
                try await orchestrator.dispatch(TakeCoins(id: "front", coins: 5))
            }
        }
        #expect(
            notes.withLock { $0 } == [
                "debug: command fill_till", "debug: command take_coins",
                "debug: command take_coins was refused, not_authorized",
                "debug: command take_coins was refused, too_few_coins",
            ])
    }

    @Test func theFirstIsTheOutermostAndSeesEachRequestOnce() async throws {
        let orchestrator = Orchestrator(
            client: client, aggregates: [Till.self],
            middleware: [Witness(name: "first", notes: notes), Witness(name: "second", notes: notes)])
        try await orchestrator.dispatch(FillTill(id: "front", coins: 9))
        await #expect(throws: ValidationError.self) {
            try await orchestrator.dispatch(TakeCoins(id: "front", coins: 0))
        }
        await #expect(throws: DispatchError.self) { try await orchestrator.dispatch("burn_coins", [:]) }
        #expect(
            notes.withLock { $0 } == [
                "first sees fill_till", "second sees fill_till", "second sees it done", "first sees it done",
                "first sees take_coins, which is none", "second sees take_coins, which is none",
                "second sees validation", "first sees validation",
            ])
    }

    @Test func aCallThatTakesTooLongIsCancelled() async throws {
        let orchestrator = Orchestrator(
            client: client, queries: [AwaitTheThousandth.self],
            middleware: [TimeLimitMiddleware(.milliseconds(20))])
        await #expect(throws: TimeLimitExceeded(name: "await_the_thousandth", limit: .milliseconds(20))) {
            try await orchestrator.query(AwaitTheThousandth())
        }
    }
}
