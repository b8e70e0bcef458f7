import DiscoCore
import DiscoEventStore
import Foundation
import Testing

/// The code of the guide "Commands that take effect once".
@Suite struct ExactlyOnceCommandsExamples {
    struct Account: Aggregate {
        let id: String
        var isOpen = false
        var credit = 0

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Account>.Type] = [
            OpenAccount.self, BookPayment.self, SpendCredit.self,
        ]

        enum Event: DomainEvent, Equatable {
            case accountOpened
            case paymentBooked(amount: Int)
            case creditSpent(amount: Int)
        }

        mutating func apply(_ event: Event) {
            switch event {
            case .accountOpened: isOpen = true
            case .paymentBooked(let amount): credit += amount
            case .creditSpent(let amount): credit -= amount
            }
        }
    }

    /// Has nothing to do where the account is open already.
    struct OpenAccount: CreateCommand {
        let id: String

        var target: CommandTarget<String> { .any(id) }

        func run(on account: Account) -> [Account.Event] { account.isOpen ? [] : [.accountOpened] }
    }

    struct BookPayment: UpdateCommand, KeyedCommand {
        let id: String
        var amount: Int
        /// The bank's ID of the message.
        var message: String

        var idempotencyKey: String { "bank-message-\(message)" }

        func run(on account: Account) -> [Account.Event] { [.paymentBooked(amount: amount)] }
    }

    struct SpendCredit: UpdateCommand {
        let id: String
        var amount: Int

        func run(on account: Account) throws -> [Account.Event] {
            guard account.credit >= amount else { throw InsufficientCredit(credit: account.credit) }
            return [.creditSpent(amount: amount)]
        }
    }

    struct InsufficientCredit: Refusal, Equatable {
        let credit: Int

        var message: String { "The credit is \(credit)." }
    }

    struct MoveCredit: ActionCommand {
        var from: String
        var to: String
        var amount: Int

        func run(in context: ActionContext) async throws -> Int {
            let source = try await context.load(Account.self, from)
            let target = try await context.load(Account.self, to)
            guard source.state.credit >= amount else { throw InsufficientCredit(credit: source.state.credit) }
            try await context.append([
                source.recording(.creditSpent(amount: amount)), target.recording(.paymentBooked(amount: amount)),
            ])
            return source.state.credit - amount
        }

        func repeated(_ appended: Appended, in context: ActionContext) async throws -> Int {
            let version = appended.version(of: Account.streamID(from)) ?? 0
            return try await context.load(Account.self, from, version: version).state.credit
        }
    }

    /// Does not say what it answered.
    struct GiveBonus: ActionCommand {
        var to: String

        func run(in context: ActionContext) async throws -> Int {
            let account = try await context.load(Account.self, to)
            try await context.append([account.recording(.paymentBooked(amount: 1))])
            return account.state.credit + 1
        }
    }

    /// A client and an orchestrator on a store with an account of Ada.
    private func opened(_ store: InMemoryEventStore) async throws -> (EventStoreClient, Orchestrator) {
        let client = EventStoreClient(store)
        let orchestrator = Orchestrator(client: client, aggregates: [Account.self])
        try await orchestrator.dispatch(OpenAccount(id: "ada"))
        return (client, orchestrator)
    }

    @Test func aRepeatReturnsTheFirstResult() async throws {
        let (client, orchestrator) = try await opened(InMemoryEventStore())
        try await orchestrator.dispatch(BookPayment(id: "ada", amount: 10, message: "8812"))
        #expect(try await orchestrator.dispatch(BookPayment(id: "ada", amount: 10, message: "8812")).repeated)

        let spend = SpendCredit(id: "ada", amount: 3)
        let first = try await orchestrator.dispatch(spend, key: "order-4711")
        try await orchestrator.dispatch(BookPayment(id: "ada", amount: 5, message: "8813"))
        let again = try await orchestrator.dispatch(spend, key: "order-4711")
        // first.state.credit is 7; again.state.credit is also 7, not 12; again.repeated is true
        #expect(first.state.credit == 7)
        #expect(!first.repeated)
        #expect(again.state.credit == 7)
        #expect(again.version == first.version)
        #expect(again.position == first.position)
        #expect(again.events == first.events)
        #expect(again.repeated)

        let byName = try await orchestrator.dispatch(
            "spend_credit", ["id": "ada", "amount": 3], key: "order-4711")
        #expect(byName.repeated)
        #expect(byName.output["credit"] == 7)
        await #expect(throws: IdempotencyConflict(key: "order-4711")) {
            try await orchestrator.dispatch(SpendCredit(id: "ada", amount: 4), key: "order-4711")
        }
        await #expect(throws: IdempotencyConflict(key: "bank-message-8813")) {
            try await orchestrator.dispatch(BookPayment(id: "ada", amount: 6, message: "8813"))
        }
        #expect(try await client.version(of: Account.streamID("ada")) == 4)
    }

    @Test func aRefusalIsNotStoredUnderTheKey() async throws {
        let (_, orchestrator) = try await opened(InMemoryEventStore())
        try await orchestrator.dispatch(BookPayment(id: "ada", amount: 10, message: "8812"))
        let spend = SpendCredit(id: "ada", amount: 12)
        await #expect(throws: InsufficientCredit(credit: 10)) {
            try await orchestrator.dispatch(spend, key: "order-4711")
        }
        try await orchestrator.dispatch(BookPayment(id: "ada", amount: 5, message: "8813"))
        let spent = try await orchestrator.dispatch(spend, key: "order-4711")
        #expect(!spent.repeated)
        #expect(spent.state.credit == 3)
    }

    @Test func aResultWithNothingToDoIsStoredUnderTheKey() async throws {
        let (client, orchestrator) = try await opened(InMemoryEventStore())
        try await orchestrator.dispatch(BookPayment(id: "ada", amount: 10, message: "8812"))
        let first = try await orchestrator.dispatch(OpenAccount(id: "ada"), key: "open-ada")
        #expect(!first.repeated)
        #expect(first.position == nil)
        try await orchestrator.dispatch(BookPayment(id: "ada", amount: 5, message: "8813"))
        let again = try await orchestrator.dispatch(OpenAccount(id: "ada"), key: "open-ada")
        #expect(again.repeated)
        #expect(again.events.isEmpty)
        #expect(again.state.credit == 15)
        #expect(try await client.head() == 3)
    }

    @Test func anActionCanAnswerARepeat() async throws {
        let (client, orchestrator) = try await opened(InMemoryEventStore())
        try await orchestrator.dispatch(BookPayment(id: "ada", amount: 10, message: "8812"))
        try await orchestrator.dispatch(OpenAccount(id: "bob"))
        let move = MoveCredit(from: "ada", to: "bob", amount: 4)
        #expect(try await orchestrator.dispatch(move, key: "move-1").output == 6)
        try await orchestrator.dispatch(SpendCredit(id: "ada", amount: 1))
        let again = try await orchestrator.dispatch(move, key: "move-1")
        #expect(again.repeated)
        #expect(again.output == 6)

        #expect(try await orchestrator.dispatch(GiveBonus(to: "bob"), key: "bonus-1").output == 5)
        await #expect(throws: DispatchError.notRepeatable("give_bonus")) {
            try await orchestrator.dispatch(GiveBonus(to: "bob"), key: "bonus-1")
        }
        #expect(try await client.version(of: Account.streamID("bob")) == 3)
    }

    @Test func aForgottenKeyDoesNotPreventARepeat() async throws {
        let fortyDaysAgo = StoreContext(now: { Date(timeIntervalSinceNow: -40 * 86_400) })
        let (client, orchestrator) = try await opened(InMemoryEventStore(context: fortyDaysAgo))
        let payment = BookPayment(id: "ada", amount: 10, message: "8812")
        try await orchestrator.dispatch(payment)
        #expect(try await client.forgetKeys(storedBefore: Date(timeIntervalSinceNow: -50 * 86_400)) == 0)
        #expect(try await orchestrator.dispatch(payment).repeated)

        let thirtyDaysAgo = Date(timeIntervalSinceNow: -30 * 86_400)
        let forgotten = try await client.forgetKeys(storedBefore: thirtyDaysAgo)
        #expect(forgotten == 1)
        let twice = try await orchestrator.dispatch(payment)
        #expect(!twice.repeated)
        #expect(twice.state.credit == 20)
    }
}
