import DiscoCore
import DiscoEventStore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
import TestSupport
import Testing

/// Processes that share consumers and are killed, suspended and ended while events are recorded. At the end, everything
/// is compared exactly.
@Suite(.serialized) struct ConsumerKillTests {
    enum Adapter: CaseIterable { case sqlite, postgres }

    /// The lease of the processes.
    private static let lease = 500
    /// How often a process is killed on each of the two adapters; `DISCO_TEST_KILLS` sets another number.
    private static let kills = ProcessInfo.processInfo.environment["DISCO_TEST_KILLS"].flatMap(Int.init) ?? 25

    /// The stores that the processes share, and the writer.
    private final class Scene: Sendable {
        let client: EventStoreClient
        let readModels: any ReadModelStore
        private let path: String
        private let folder: TemporaryFolder?
        private let database: TestDatabase?
        private let isDone = Locked(false)

        init(_ adapter: Adapter) async throws {
            switch adapter {
            case .sqlite:
                let folder = try TemporaryFolder()
                self.folder = folder
                database = nil
                path = folder.file("events")
                client = EventStoreClient(try await SQLiteEventStore.open(path: path))
                readModels = try await SQLiteReadModelStore.open(path: path + ".models")
            case .postgres:
                let database = try TestDatabase()
                self.database = database
                folder = nil
                path = "\(database.url)#\(database.schema)"
                client = EventStoreClient(
                    try await PostgresEventStore.open(.init(url: database.url, schema: database.schema)))
                readModels = try await PostgresReadModelStore.open(
                    .init(url: database.url, schema: database.schema + "_m"))
            }
        }

        func process(partitions: Int = 8, lease: Int = ConsumerKillTests.lease) async throws -> Program {
            let process = try Program("DiscoProbe", ["consume", path, String(partitions), String(lease)])
            #expect(try await process.printed(lines: 1) == "ready\n")
            return process
        }

        /// Asks questions in 40 streams while `body` runs, and some at the end.
        func asking(_ body: () async throws -> Void) async throws {
            let writing = Task {
                var number = 0
                while !isDone.withLock({ $0 }) {
                    try await ask(number)
                    number += 1
                    try await Task.sleep(for: .milliseconds(3))
                }
                for number in 0..<40 { try await ask(number) }
            }
            do {
                try await body()
            } catch {
                isDone.withLock { $0 = true }
                try? await writing.value
                throw error
            }
            isDone.withLock { $0 = true }
            try await writing.value
        }

        private func ask(_ number: Int) async throws {
            let event = NewEvent(stream: StreamID("ask-\(number % 40)"), type: "Asked", payload: "{}")
            let append = Append([event])
            // A frozen process may hold the lock of the file for a while.
            while true {
                do {
                    try await client.append(append)
                    return
                } catch let error as EventStoreError where error.code == .busy {}
            }
        }

        func head() async throws -> Position { try await client.head() }

        func passed() async throws -> Position {
            min(
                try await readModels.checkpoint(of: "questions").position,
                try await readModels.checkpoint(of: "answers").position)
        }

        /// Waits until everything is processed, and compares it.
        func compare() async throws {
            try await eventually(within: .seconds(60)) { try await passed() == head() }
            var asked: [String: Int] = [:]
            var answers: [String: [Int]] = [:]
            for try await event in client.events() {
                if event.type == "Asked" {
                    asked[event.stream.id, default: 0] += 1
                } else {
                    let version = try #require(try event.payload.decode([String: Int].self)["version"])
                    answers[event.stream.id, default: []].append(version)
                }
            }
            #expect(asked.count == 40)
            for (stream, count) in asked {
                let answered = answers[stream] ?? []
                #expect(answered == Array(1...count), "the answers of \(stream)")
            }
            let rows = try await readModels.read { transaction in
                try transaction.query("SELECT stream, asked, wrong FROM \(table: "questions")").map {
                    row -> (String, Int, Int) in
                    (try row.value("stream"), try row.value("asked"), try row.value("wrong"))
                }
            }
            #expect(rows.count == 40)
            for (stream, count, wrong) in rows {
                #expect(wrong == 0, "the order of \(stream)")
                #expect(asked[StreamID(stream).id] == count, "the count of \(stream)")
            }
            #expect(try await readModels.held(by: "questions") == [])
            #expect(try await readModels.held(by: "answers") == [])
        }

        /// Asks many questions at once.
        func ask(count: Int) async throws {
            for start in stride(from: 0, to: count, by: 200) {
                try await client.append(
                    Append(
                        (start..<min(count, start + 200)).map {
                            NewEvent(stream: StreamID("ask-\($0 % 40)"), type: "Asked", payload: "{}")
                        }))
            }
        }

        /// How many questions a query of the read model counts.
        func counted() async throws -> Int {
            try await readModels.read { transaction in
                try transaction.query(
                    "SELECT coalesce(CAST(sum(asked) AS bigint), 0) AS n FROM \(table: "questions")")[0].value("n")
            }
        }

        func shares(_ consumer: String) async throws -> [Int] {
            let members = Set(try await readModels.members().map(\.member.id))
            let owners = try await readModels.partitions(of: consumer).map { state in
                state.owner.flatMap { members.contains($0) ? $0 : nil } ?? "nobody"
            }
            var shares = Dictionary(owners.map { ($0, 1) }, uniquingKeysWith: +)
            for member in members { shares[member] = shares[member] ?? 0 }
            return shares.values.sorted()
        }

        func close() async {
            await readModels.close()
            await client.store.close()
        }
    }

    private func end(_ processes: [Program]) async throws {
        for process in processes { process.signal("TERM") }
        for process in processes {
            let result = try await process.finish()
            #expect(result.status == 0, "\(result.errors.suffix(2000))")
        }
    }

    @Test(arguments: Adapter.allCases)
    func killedProcessesLoseAndRepeatNothing(adapter: Adapter) async throws {
        let scene = try await Scene(adapter)
        var processes = [try await scene.process(), try await scene.process()]
        try await scene.asking {
            for _ in 0..<Self.kills {
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...600)))
                let victim = processes.remove(at: Int.random(in: 0...1))
                victim.kill()
                _ = try await victim.finish()
                processes.append(try await scene.process())
            }
        }
        try await scene.compare()
        try await end(processes)
        await scene.close()
    }

    @Test(arguments: Adapter.allCases)
    func aProcessThatWasSuspendedForLongerThanItsLeaseDoesNoHarm(adapter: Adapter) async throws {
        let scene = try await Scene(adapter)
        let processes = [try await scene.process(), try await scene.process()]
        try await scene.asking {
            for round in 0..<6 {
                try await eventually { try await scene.shares("answers") == [4, 4] }
                let process = processes[round % 2]
                process.freeze()
                try await Task.sleep(for: .milliseconds(3 * Self.lease))
                process.thaw()
            }
        }
        try await scene.compare()
        for process in processes { process.signal("TERM") }
        for process in processes {
            let result = try await process.finish()
            #expect(result.status == 0, "\(result.errors.suffix(2000))")
            #expect(result.errors.contains("The lease of this process has expired"))
        }
        await scene.close()
    }

    @Test(arguments: Adapter.allCases)
    func processesThatJoinAndLeaveShareFairly(adapter: Adapter) async throws {
        let scene = try await Scene(adapter)
        var processes = [try await scene.process(lease: 5000)]
        try await scene.asking {
            for _ in 0..<10 {
                if processes.count < 2 || processes.count < 4 && Bool.random() {
                    processes.append(try await scene.process(lease: 5000))
                } else {
                    try await end([processes.remove(at: Int.random(in: 0..<processes.count))])
                }
                try await eventually {
                    let shares = try await scene.shares("questions")
                    return shares.count == processes.count && shares.reduce(0, +) == 8
                        && (shares.last ?? 0) - (shares.first ?? 0) <= 1
                }
            }
        }
        try await scene.compare()
        try await end(processes)
        await scene.close()
    }

    /// How many events a rebuild has to read; `DISCO_TEST_REBUILD` sets another number.
    private static let rebuilt = ProcessInfo.processInfo.environment["DISCO_TEST_REBUILD"].flatMap(Int.init) ?? 5_000

    @Test(arguments: Adapter.allCases)
    func aRebuildThatIsKilledFiveTimesEndsEqualAndQueriesAreAnsweredAllTheWhile(adapter: Adapter) async throws {
        let scene = try await Scene(adapter)
        try await scene.ask(count: Self.rebuilt)
        var process = try await scene.process()
        // The policy may go on meanwhile.
        try await eventually(within: .seconds(120)) {
            try await scene.readModels.checkpoint(of: "questions").position.rawValue >= Int64(Self.rebuilt)
        }
        try await scene.readModels.administer("questions", .rebuild)
        for _ in 0..<5 {
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...700)))
            #expect(try await scene.counted() == Self.rebuilt)
            process.kill()
            _ = try await process.finish()
            #expect(try await scene.counted() == Self.rebuilt)
            process = try await scene.process()
        }
        try await eventually(within: .seconds(120)) {
            #expect(try await scene.counted() == Self.rebuilt)
            return try await scene.readModels.consumers().first { $0.name == "questions" }?.live.number == 2
        }
        try await eventually(within: .seconds(120)) { try await scene.passed() == scene.head() }
        try await scene.compare()
        try await end([process])
        await scene.close()
    }

    @Test(arguments: Adapter.allCases)
    func partitionsAreExchangedBetweenProcessesWhileEventsFlow(adapter: Adapter) async throws {
        let scene = try await Scene(adapter)
        let processes = [try await scene.process(), try await scene.process()]
        try await scene.asking {
            for count in [3, 12] {
                try await Task.sleep(for: .milliseconds(300))
                for name in ["questions", "answers"] {
                    try await scene.readModels.administer(name, .partition(count))
                }
                try await eventually(within: .seconds(60)) {
                    let states = try await scene.readModels.partitions(of: nil)
                    return states.count == 2 * count && states.allSatisfy { $0.owner != nil }
                }
            }
        }
        try await scene.compare()
        try await end(processes)
        await scene.close()
    }
}
