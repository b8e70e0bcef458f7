import DiscoCore
import DiscoEventStore
import Logging
import Testing

/// The code of the guide "Snapshots".
@Suite struct SnapshotsExamples {
    struct Meter: Aggregate {
        let id: String
        var total = 0

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Meter>.Type] = [InstallMeter.self, AddReadings.self]
        static let snapshotPolicy = SnapshotPolicy.every(events: 200).or(.whenFoldingTakes(.milliseconds(20)))

        enum Event: DomainEvent, Equatable {
            case meterInstalled
            case meterRead(amount: Int)
        }

        mutating func apply(_ event: Event) {
            switch event {
            case .meterInstalled: break
            case .meterRead(let amount): total += amount
            }
        }
    }

    struct InstallMeter: CreateCommand {
        let id: String

        var target: CommandTarget<String> { .new(id) }

        func run(on meter: Meter) -> [Meter.Event] { [.meterInstalled] }
    }

    struct AddReadings: UpdateCommand {
        let id: String
        var amounts: [Int]

        func run(on meter: Meter) -> [Meter.Event] { amounts.map { .meterRead(amount: $0) } }
    }

    enum AfterAYear {
        struct Meter: Aggregate {
            let id: String
            var total = 0

            init(id: String) { self.id = id }

            static let commands: [any AggregateCommand<Meter>.Type] = [LookAtMeter.self]
            static let snapshotPolicy = SnapshotPolicy.every(events: 200)

            typealias Event = SnapshotsExamples.Meter.Event

            static let stateVersion = 2

            mutating func apply(_ event: Event) {
                switch event {
                case .meterInstalled: break
                // The first devices sent some readings below zero.
                case .meterRead(let amount): total += max(0, amount)
                }
            }
        }

        struct LookAtMeter: UpdateCommand {
            let id: String

            func run(on meter: Meter) -> [Meter.Event] { [] }
        }
    }

    /// The same, but for the version.
    enum WithoutAVersion {
        struct Meter: Aggregate {
            let id: String
            var total = 0

            init(id: String) { self.id = id }

            static let commands: [any AggregateCommand<Meter>.Type] = [LookAtMeter.self]
            static let snapshotPolicy = SnapshotPolicy.every(events: 200)

            typealias Event = SnapshotsExamples.Meter.Event

            mutating func apply(_ event: Event) {
                if case .meterRead(let amount) = event { total += max(0, amount) }
            }
        }

        struct LookAtMeter: UpdateCommand {
            let id: String

            func run(on meter: Meter) -> [Meter.Event] { [] }
        }
    }

    struct Lamp: Aggregate {
        enum Colour: String, Codable, CaseIterable { case white, red }
        enum Mode: String, Codable { case on, off }

        let id: String
        var colour = Colour.white
        var mode = Mode.off

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Lamp>.Type] = [SwitchLamp.self]
        static let snapshotPolicy = SnapshotPolicy.every(events: 1)

        enum Event: DomainEvent { case lampSwitched }

        mutating func apply(_ event: Event) {
            mode = mode == .on ? .off : .on
            colour = .red
        }
    }

    struct SwitchLamp: CreateCommand {
        let id: String

        var target: CommandTarget<String> { .any(id) }

        func run(on lamp: Lamp) -> [Lamp.Event] { [.lampSwitched] }
    }

    /// Leaves a property out of its coding keys.
    struct Gauge: Aggregate {
        let id: String
        var total = 0
        var last = 0

        enum CodingKeys: CodingKey { case id, total }

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Gauge>.Type] = [ReadGauge.self, LookAtGauge.self]
        static let snapshotPolicy = SnapshotPolicy.every(events: 1)

        enum Event: DomainEvent { case gaugeRead(amount: Int) }

        mutating func apply(_ event: Event) {
            switch event {
            case .gaugeRead(let amount):
                total += amount
                last = amount
            }
        }
    }

    struct ReadGauge: CreateCommand {
        let id: String
        var amount: Int

        var target: CommandTarget<String> { .any(id) }

        func run(on gauge: Gauge) -> [Gauge.Event] { [.gaugeRead(amount: amount)] }
    }

    struct LookAtGauge: UpdateCommand {
        let id: String

        func run(on gauge: Gauge) -> [Gauge.Event] { [] }
    }

    /// Has a state that JSON has no number for.
    struct Thermometer: Aggregate {
        let id: String
        var lowest = Double.infinity

        init(id: String) { self.id = id }

        static let commands: [any AggregateCommand<Thermometer>.Type] = [HangThermometer.self]
        static let snapshotPolicy = SnapshotPolicy.every(events: 1)

        enum Event: DomainEvent { case thermometerHung }

        mutating func apply(_ event: Event) {}
    }

    struct HangThermometer: CreateCommand {
        let id: String

        var target: CommandTarget<String> { .new(id) }

        func run(on thermometer: Thermometer) -> [Thermometer.Event] { [.thermometerHung] }
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
            let line = "\(event.level): \(event.message)"
            lines.withLock { $0.append(line) }
        }
    }

    private let client: EventStoreClient
    private let logged: Locked<[String]>

    init() {
        let logged = Locked<[String]>([])
        self.logged = logged
        let logger = Logger(label: "guides") { _ in Lines(logged) }
        client = EventStoreClient(InMemoryEventStore(context: StoreContext(logger: logger)))
    }

    @Test func aSnapshotIsUsedUntilItsVersionIsIncremented() async throws {
        let orchestrator = Orchestrator(client: client, aggregates: [Meter.self])
        try await orchestrator.dispatch(InstallMeter(id: "hall"))
        let amounts = Array(repeating: 2, count: 199) + [-1]
        #expect(try await orchestrator.dispatch(AddReadings(id: "hall", amounts: amounts)).state.total == 397)

        let unversioned = Orchestrator(client: client, aggregates: [WithoutAVersion.Meter.self])
        let old = try await unversioned.dispatch(WithoutAVersion.LookAtMeter(id: "hall"))
        #expect(old.state.total == 397)
        #expect(old.version == 201)
        let later = Orchestrator(client: client, aggregates: [AfterAYear.Meter.self])
        let anew = try await later.dispatch(AfterAYear.LookAtMeter(id: "hall"))
        #expect(anew.state.total == 398)
        #expect(anew.version == 201)
        #expect(logged.withLock { $0 } == [])
    }

    @Test func anEnumThatDoesNotListItsCasesCanBeInASnapshot() async throws {
        for state in [Lamp.Mode.on, .off, .on] {
            let orchestrator = Orchestrator(client: client, aggregates: [Lamp.self])
            #expect(try await orchestrator.dispatch(SwitchLamp(id: "hall")).state.mode == state)
        }
        #expect(logged.withLock { $0 } == [])
    }

    @Test func propertiesThatAreNotEncodedAreLost() async throws {
        let orchestrator = Orchestrator(client: client, aggregates: [Gauge.self])
        let read = try await orchestrator.dispatch(ReadGauge(id: "a", amount: 5))
        #expect(read.state.last == 5)
        let another = Orchestrator(client: client, aggregates: [Gauge.self])
        let opened = try await another.dispatch(LookAtGauge(id: "a"))
        #expect(opened.state.total == 5)
        #expect(opened.state.last == 0)
    }

    @Test func aSnapshotThatCannotBeSavedCausesAWarning() async throws {
        let orchestrator = Orchestrator(client: client, aggregates: [Thermometer.self])
        #expect(try await orchestrator.dispatch(HangThermometer(id: "roof")).version == 1)
        let lines = logged.withLock { $0 }
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("warning: The snapshot of thermometer-roof was not saved:") == true)
    }
}
