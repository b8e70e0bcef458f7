import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import Foundation
import TestSupport
import Testing

/// Commands that policies send take effect once, however often the event is delivered.
@Suite(.timeLimit(.minutes(1))) struct PolicyCommandTests {
    struct Account: Aggregate {
        let id: String
        var balance = 0
        init(id: String) { self.id = id }
        static let commands: [any AggregateCommand<Account>.Type] = [Deposit.self, Withdraw.self]

        enum Event: DomainEvent {
            case deposited(amount: Int)
            case withdrawn(amount: Int)
        }

        mutating func apply(_ event: Event) {
            switch event {
            case .deposited(let amount): balance += amount
            case .withdrawn(let amount): balance -= amount
            }
        }
    }

    struct Deposit: TimelessCommand {
        let id: String
        let amount: Int
        var target: CommandTarget<String> { .any(id) }
        func run(on account: Account) -> [Account.Event] { [.deposited(amount: amount)] }
    }

    struct Withdraw: TimelessCommand {
        let id: String
        let amount: Int
        var target: CommandTarget<String> { .any(id) }
        func run(on account: Account) throws -> [Account.Event] {
            if account.balance < amount { throw NotEnough() }
            return [.withdrawn(amount: amount)]
        }
    }

    struct NotEnough: Refusal, Equatable {
        var message: String { "There is not enough money." }
    }

    struct Trouble: Error {}

    /// Does what the test says.
    struct Reactor: Policy {
        let name = "reactor"
        let query = EventQuery.types("Asked")
        var react: @Sendable (RecordedEvent, PolicyContext) async throws -> Outcome

        func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
            try await react(event, context)
        }
    }

    private let client = EventStoreClient(InMemoryEventStore())
    private var orchestrator: Orchestrator { Orchestrator(client: client, aggregates: [Account.self]) }

    private func ask(_ stream: StreamID = "ask-1") async throws {
        try await client.append(Append([NewEvent(stream: stream, type: "Asked", payload: "{}")]))
    }

    /// Delivers everything again and again, as after kills that lost the checkpoint.
    private func deliver(
        _ times: Int, failures: FailurePolicy = FailurePolicy(),
        _ react: @escaping @Sendable (RecordedEvent, PolicyContext) async throws -> Outcome
    ) async throws -> [HeldStream] {
        var held: [HeldStream] = []
        for _ in 0..<times {
            let store = try await SQLiteReadModelStore.open(.inMemory)
            try await Consumers(of: client, [.policy(Reactor(react: react), in: store, failures: failures)]).catchUp()
            held = try await store.held(by: "reactor")
            await store.close()
        }
        return held
    }

    private func balance(_ id: String) async throws -> Int {
        let events = try await client.events(in: Account.streamID(id)).collect()
        return try events.map { event in
            let amount = try event.payload.decode([String: Int].self)["amount"] ?? 0
            return event.type == "Deposited" ? amount : -amount
        }.reduce(0, +)
    }

    @Test func commandsTakeEffectOnceAndAreCausedByTheEvent() async throws {
        try await ask()
        try await ask()
        let orchestrator = orchestrator
        let held = try await deliver(3) { _, context in
            for amount in 1...2 { try await context.dispatch(Deposit(id: "ann", amount: amount), by: orchestrator) }
            try await context.dispatch(Deposit(id: "ben", amount: 5), by: orchestrator, as: "gift")
            return .done
        }
        #expect(held == [])
        #expect(try await balance("ann") == 6)
        #expect(try await balance("ben") == 10)
        let asked = try await client.events(in: "ask-1").collect()
        let deposits = try await client.events(in: Account.streamID("ann")).collect()
        #expect(deposits.map(\.metadata.causationID) == [asked[0].id, asked[0].id, asked[1].id, asked[1].id])
        #expect(deposits[0].metadata.correlationID == asked[0].id)
        let key = "$policy/reactor/\(asked[1].id.uuidString.lowercased())/gift/1"
        await #expect(throws: IdempotencyConflict.self) {
            _ = try await client.recorded(under: IdempotencyKey(key, fingerprint: "another"))
        }
    }

    @Test func commandsSentBeforeAFailureAreNotRepeated() async throws {
        try await ask()
        let (orchestrator, fails) = (orchestrator, Locked(true))
        let react: @Sendable (RecordedEvent, PolicyContext) async throws -> Outcome = { _, context in
            try await context.dispatch(Deposit(id: "ann", amount: 1), by: orchestrator)
            if fails.withLock({ $0 }) { throw Trouble() }
            try await context.dispatch(Deposit(id: "ann", amount: 10), by: orchestrator)
            return .done
        }
        let held = try await deliver(2, react)
        #expect(held.map(\.attempts) == [1])
        #expect(held.first?.failure?.code == "trouble")
        #expect(try await balance("ann") == 1)
        fails.withLock { $0 = false }
        #expect(try await deliver(2, react) == [])
        #expect(try await balance("ann") == 11)
    }

    @Test func anUncaughtRefusalIsTriedAgainAndMaySucceedLater() async throws {
        try await ask()
        let orchestrator = orchestrator
        let react: @Sendable (RecordedEvent, PolicyContext) async throws -> Outcome = { _, context in
            try await context.dispatch(Withdraw(id: "ann", amount: 3), by: orchestrator)
            return .done
        }
        #expect(try await deliver(2, react).first?.failure?.code == "not_enough")
        try await orchestrator.dispatch(Deposit(id: "ann", amount: 10))
        #expect(try await deliver(2, react) == [])
        #expect(try await balance("ann") == 7)
    }

    @Test func aRefusalThatThePolicyReactedToStaysRefused() async throws {
        try await ask()
        let (orchestrator, errors) = (orchestrator, Locked<[String]>([]))
        let react: @Sendable (RecordedEvent, PolicyContext) async throws -> Outcome = { _, context in
            do {
                try await context.dispatch(Withdraw(id: "ann", amount: 3), by: orchestrator)
            } catch {
                errors.withLock { $0.append(ErrorDescription(error).code) }
                try await context.dispatch(Deposit(id: "ben", amount: 1), by: orchestrator)
            }
            return .done
        }
        #expect(try await deliver(1, react) == [])
        // Now it could be carried out, but the policy has already acted on the refusal.
        try await orchestrator.dispatch(Deposit(id: "ann", amount: 10))
        #expect(try await deliver(2, react) == [])
        #expect(errors.withLock { $0 } == ["not_enough", "refused_before", "refused_before"])
        #expect(try await balance("ann") == 10)
        #expect(try await balance("ben") == 1)
    }

    @Test func aRefusalIsClosedAlsoWhenTheEventIsSimplyDone() async throws {
        try await ask()
        let orchestrator = orchestrator
        let react: @Sendable (RecordedEvent, PolicyContext) async throws -> Outcome = { _, context in
            _ = try? await context.dispatch(Withdraw(id: "ann", amount: 3), by: orchestrator)
            return .skip("whatever")
        }
        #expect(try await deliver(1, react) == [])
        try await orchestrator.dispatch(Deposit(id: "ann", amount: 10))
        #expect(try await deliver(2, react) == [])
        #expect(try await balance("ann") == 10)
    }

    @Test func aCommandThatTookEffectAlthoughItSeemedToFailIsFoundOut() async throws {
        try await ask()
        let (orchestrator, attempts) = (orchestrator, Locked(0))
        // Its answer is lost on the way back.
        let lossy = Orchestrator(
            client: client, aggregates: [Account.self], middleware: [LosesAnswers(attempts: attempts)])
        let react: @Sendable (RecordedEvent, PolicyContext) async throws -> Outcome = { _, context in
            do {
                try await context.dispatch(Deposit(id: "ann", amount: 3), by: lossy)
            } catch {
                try await context.dispatch(Deposit(id: "ben", amount: 1), by: orchestrator)
            }
            return .done
        }
        let store = try await SQLiteReadModelStore.open(.inMemory)
        let consumers = Consumers(of: client, [.policy(Reactor(react: react), in: store)])
        try await eventually {
            try await consumers.catchUp()
            let (position, held) = (
                try await store.checkpoint(of: "reactor").position, try await store.held(by: "reactor")
            )
            return position > 0 && held.isEmpty
        }
        #expect(attempts.withLock { $0 } == 2)
        #expect(try await balance("ann") == 3)
        #expect(try await balance("ben") == 0)
    }

    private struct LosesAnswers: Middleware {
        let attempts: Locked<Int>

        func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
            let output = try await next(call)
            if attempts.withLock({ attempts in
                attempts += 1
                return attempts == 1
            }) {
                throw Trouble()
            }
            return output
        }
    }

    @Test func changedCommandsParkAtOnce() async throws {
        try await ask()
        try await ask("ask-2")
        let (orchestrator, amount) = (orchestrator, Locked(1))
        let react: @Sendable (RecordedEvent, PolicyContext) async throws -> Outcome = { event, context in
            let amount = event.stream == "ask-1" ? amount.withLock { $0 } : 7
            try await context.dispatch(Deposit(id: event.stream.id, amount: amount), by: orchestrator)
            return .done
        }
        #expect(try await deliver(1, react) == [])
        amount.withLock { $0 = 2 }
        for afterwards in [FailurePolicy.Afterwards.park, .skip] {
            let held = try await deliver(1, failures: FailurePolicy(afterwards: afterwards), react)
            #expect(held.map(\.stream) == ["ask-1"])
            #expect(held.map(\.isParked) == [true])
            #expect(held.first?.failure?.code == "command_changed")
            #expect(held.first?.attempts == 1)
        }
        #expect(try await balance("1") == 1)
        #expect(try await balance("2") == 7)
        amount.withLock { $0 = 1 }
        #expect(try await deliver(1, react) == [])
    }

    @Test func aKeyedCommandKeepsItsKey() async throws {
        struct Keyed: TimelessCommand, KeyedCommand {
            let id: String
            var target: CommandTarget<String> { .any(id) }
            var idempotencyKey: String { "order-7" }
            func run(on account: Account) -> [Account.Event] { [.deposited(amount: 1)] }
        }
        try await ask()
        try await ask("ask-2")
        let orchestrator = orchestrator
        let react: @Sendable (RecordedEvent, PolicyContext) async throws -> Outcome = { _, context in
            try await context.dispatch(Keyed(id: "ann"), by: orchestrator)
            return .done
        }
        #expect(try await deliver(1, react) == [])
        #expect(try await balance("ann") == 1)
    }

    struct DepositIntoBoth: ActionCommand {
        var amount = 1
        func run(in context: ActionContext) async throws -> Int {
            var accounts: [Loaded<Account>] = []
            for id in ["ann", "ben"] { accounts.append(try await context.load(Account.self, id)) }
            _ = try await context.append(accounts.map { $0.recording(.deposited(amount: amount)) })
            return amount
        }
    }

    @Test func anActionTakesEffectOnceAndItsOutputIsKnownOnce() async throws {
        try await ask()
        let orchestrator = Orchestrator(client: client, aggregates: [Account.self], commands: [DepositIntoBoth.self])
        let outputs = Locked<[Int?]>([])
        let react: @Sendable (RecordedEvent, PolicyContext) async throws -> Outcome = { _, context in
            let output = try await context.dispatch(DepositIntoBoth(), by: orchestrator)?.output
            outputs.withLock { $0.append(output) }
            return .done
        }
        #expect(try await deliver(2, react) == [])
        #expect(outputs.withLock { $0 } == [1, nil])
        #expect(try await balance("ann") == 1)
        #expect(try await balance("ben") == 1)
    }

    @Test func longNamesMakeValidKeysThatDiffer() async throws {
        try await ask()
        let events = try await client.events(in: "ask-1").collect()
        let name = String(repeating: "é", count: 200)
        for consumer in [name, name + "2"] {
            let context = PolicyContext(for: events[0], consumer: consumer)
            for command in [name, name + "2", "", "\u{0}"] {
                try await context.dispatch(Deposit(id: "ann", amount: 1), by: orchestrator, as: command)
            }
        }
        #expect(try await balance("ann") == 8)
        await #expect(throws: ValidationError.self) {
            let context = PolicyContext(for: events[0])
            try await context.dispatch(Deposit(id: "ann", amount: 1), by: orchestrator, as: "\u{0}")
        }
        #expect(try await balance("ann") == 8)
    }

    @Test func callersCannotUseAPolicysKeys() async throws {
        for key in ["$policy/reactor/1/deposit/1", "$x", "$"] {
            await #expect(throws: ValidationError.self) {
                try await orchestrator.dispatch(Deposit(id: "ann", amount: 1), key: key)
            }
            await #expect(throws: ValidationError.self) {
                try await orchestrator.dispatch("deposit", ["id": "ann", "amount": 1], key: key)
            }
        }
        #expect(try await balance("ann") == 0)
    }
}
