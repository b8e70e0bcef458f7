import DiscoConsumers
import DiscoCore
import DiscoEventStore
import DiscoEventStoreSQLite
import Logging
import Testing

/// The code of the guide "Reading your writes".
@Suite struct ReadingYourWritesExamples {
    struct Jar: Aggregate {
        let id: String
        var coins = 0

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Jar>.Type] = [FillJar.self]

        enum Event: DomainEvent { case jarFilled(coins: Int) }

        mutating func apply(_ event: Event) {
            switch event {
            case .jarFilled(let coins): self.coins += coins
            }
        }
    }

    struct FillJar: CreateCommand {
        let id: String
        var coins: Int

        var target: CommandTarget<String> { .any(id) }

        func run(on jar: Jar) -> [Jar.Event] { coins == 0 ? [] : [.jarFilled(coins: coins)] }
    }

    struct TooHeavy: Error {}

    /// Fails at a hundred coins, every time.
    struct JarList: Projection {
        let name = "jars"
        let query = EventQuery.types("JarFilled")

        func setUp(_ transaction: SQLTransaction) throws {
            try transaction.execute("CREATE TABLE IF NOT EXISTS jars (id TEXT PRIMARY KEY, coins INTEGER)")
        }

        func apply(_ event: RecordedEvent, _ transaction: SQLTransaction) throws {
            guard case .jarFilled(let coins) = try Jar.Event(event), coins < 100 else { throw TooHeavy() }
            try transaction.execute(
                """
                INSERT INTO jars VALUES (\(event.stream.id), \(coins))
                ON CONFLICT (id) DO UPDATE SET coins = coins + excluded.coins
                """)
        }
    }

    struct CountCoins: Query {
        let id: String

        func run(in context: QueryContext) async throws -> Int {
            try await context.read { transaction in
                let row = try transaction.query("SELECT coins FROM jars WHERE id = \(id)").first
                return try row?.value("coins", as: Int.self) ?? 0
            }
        }
    }

    private let client: EventStoreClient
    private let readModels: SQLiteReadModelStore
    private let orchestrator: Orchestrator
    private let consumers: Consumers
    private let logger = Logger(label: "guides") { _ in SwiftLogNoOpLogHandler() }

    init() async throws {
        let client = EventStoreClient(InMemoryEventStore())
        let readModels = try await SQLiteReadModelStore.open(.inMemory)
        let orchestrator = Orchestrator(
            client: client, aggregates: [Jar.self],
            readModels: [ReadModel(queries: [CountCoins.self], store: readModels, consumers: ["jars"])])
        self.client = client
        self.readModels = readModels
        self.orchestrator = orchestrator
        consumers = Consumers(of: client, [.projection(JarList(), in: readModels)])
    }

    func coins(in jar: String, after position: Position?, within limit: Duration) async throws -> Int {
        do {
            return try await orchestrator.query(CountCoins(id: jar), after: position, within: limit)
        } catch let behind as ConsumersBehind {
            logger.warning("\(behind.message)")
            return try await orchestrator.query(CountCoins(id: jar))  // may be out of date
        }
    }

    @Test func aQueryShowsTheAwaitedEvents() async throws {
        let consumers = self.consumers
        let running = Task { try await consumers.run() }
        defer { running.cancel() }
        let filled = try await orchestrator.dispatch(
            FillJar(id: "ada", coins: 5), awaiting: ["jars"], within: .seconds(10))
        let coins = try await orchestrator.query(CountCoins(id: "ada"))  // 5 if filled.behind is empty
        #expect(filled.behind.isEmpty)
        #expect(coins == 5)

        let answer = try await orchestrator.dispatch("fill_jar", ["id": "ada", "coins": 2])
        // return answer.position to the client, which sends it with its next query
        let now = try await orchestrator.query(
            "count_coins", ["id": "ada"], after: answer.position, within: .seconds(10))
        #expect(now == 7)
        #expect(answer.behind.isEmpty)

        let nothing = try await orchestrator.dispatch(FillJar(id: "ada", coins: 0), awaiting: ["jars"])
        #expect(nothing.position == nil)
        #expect(nothing.behind.isEmpty)
    }

    @Test func aConsumerThatIsBehindIsNamed() async throws {
        try await consumers.catchUp()
        let filled = try await orchestrator.dispatch(FillJar(id: "ada", coins: 5), awaiting: ["jars"], within: .zero)
        #expect(filled.behind.map(\.consumer) == ["jars"])
        #expect(filled.behind.map(\.events) == [1])
        let behind = await #expect(throws: ConsumersBehind.self) {
            try await orchestrator.query(CountCoins(id: "ada"), after: filled.position, within: .zero)
        }
        #expect(behind?.consumers.map(\.consumer) == ["jars"])
        #expect(try await coins(in: "ada", after: filled.position, within: .zero) == 0)
        try await consumers.catchUp()
        #expect(try await coins(in: "ada", after: filled.position, within: .zero) == 5)
    }

    @Test func heldEventsAreMissing() async throws {
        let heavy = try await orchestrator.dispatch(FillJar(id: "ada", coins: 100))
        let light = try await orchestrator.dispatch(FillJar(id: "ada", coins: 1))
        let other = try await orchestrator.dispatch(FillJar(id: "bob", coins: 2))
        try await consumers.catchUp()
        for held in [heavy, light] {
            let behind = await #expect(throws: ConsumersBehind.self) {
                try await orchestrator.query(CountCoins(id: "ada"), after: held.position, within: .zero)
            }
            #expect(behind?.consumers.map(\.holds) == [true])
            #expect(behind?.consumers.map(\.events) == [0])
        }
        #expect(try await coins(in: "bob", after: other.position, within: .zero) == 2)
    }

    @Test func anUnlistedConsumerCannotBeAwaited() async throws {
        await #expect(throws: DispatchError.unknownConsumer("jam", known: ["jars"])) {
            try await orchestrator.dispatch(FillJar(id: "ada", coins: 5), awaiting: ["jam"])
        }
        #expect(try await client.head() == 0)
    }
}
