import CourseDomain
import DiscoCore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
import TestSupport
import Testing
import WalletDomain

/// Decisions and keyed commands from several processes on one store, some of them killed.
@Suite(.timeLimit(.minutes(4))) struct DispatchProcessTests {
    enum Adapter: String, CaseIterable, Sendable { case sqlite, postgres }

    /// A fresh store, and the path with which another process opens it.
    private func fresh(_ adapter: Adapter, _ folder: TemporaryFolder) async throws -> (EventStoreClient, path: String) {
        switch adapter {
        case .sqlite: return (EventStoreClient(try await SQLiteEventStore.open(path: folder.events)), folder.events)
        case .postgres:
            let database = try TestDatabase()
            let settings = PostgresEventStore.Settings(url: database.url, schema: database.schema)
            return (
                EventStoreClient(try await PostgresEventStore.open(settings)), "\(database.url)#\(database.schema)"
            )
        }
    }

    @Test(arguments: Adapter.allCases)
    func twoProcessesNeverEnrolTooManyStudents(adapter: Adapter) async throws {
        let folder = try TemporaryFolder()
        let (client, path) = try await fresh(adapter, folder)
        try await Orchestrator(client: client).dispatch(DefineCourse(course: "algebra", seats: 120))
        let processes = try (0..<2).map { number in
            try Program("DiscoProbe", ["enrol", path, "algebra", "student-\(number)", "100"])
        }
        for process in processes { #expect(try await process.printed(atLeast: 6) == "ready\n") }
        for process in processes { try process.send("go") }
        var (enrolled, conflicts) = (0, 0)
        for process in processes {
            let result = try await process.finish()
            #expect(result.status == 0, "\(result)")
            let numbers = result.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            #expect(numbers.count == 2, "\(result)")
            enrolled += numbers.first ?? 0
            conflicts += numbers.last ?? 0
        }
        #expect(enrolled == 120)
        let seats = try await client.events(.types("StudentEnrolled")).collect()
        #expect(seats.count == 120)
        #expect(Set(seats.map(\.tags)).count == 120)
        #expect(conflicts > 0)
        await client.store.close()
    }

    @Test(arguments: Adapter.allCases)
    func aKeyedCommandRepeatedAfterAKillBetweenAppendAndAnswerTakesEffectOnce(adapter: Adapter) async throws {
        let folder = try TemporaryFolder()
        let (client, path) = try await fresh(adapter, folder)
        let orchestrator = Orchestrator(client: client, aggregates: [Wallet.self])
        let id = try await orchestrator.dispatch(CreateWallet(userID: UUID(), balance: 0)).state.id
        try await orchestrator.dispatch(DefineCourse(course: "algebra", seats: 1))
        for target in [id.lowercased, "algebra"] {
            let result = try await Program("DiscoProbe", ["die", path, target, "key-\(target)"]).finish()
            #expect(result.status == SIGKILL && result.output == "", "\(result)")
        }
        #expect(try await client.head() == 4)
        // Another process returns the recorded result, though the one seat is taken.
        for _ in 0..<2 {
            let deposited = try await orchestrator.dispatch(
                DepositMoney(id: id, amount: 1), key: "key-\(id.lowercased)")
            #expect(deposited.repeated)
            #expect(deposited.state.balance == 1)
            let enrolled = try await orchestrator.dispatch(
                EnrolStudent(course: "algebra", student: "ada"), key: "key-algebra")
            #expect(enrolled.repeated)
            #expect(enrolled.model.taken == 1)
        }
        #expect(try await client.head() == 4)
        await #expect(throws: CourseRefusal.full) {
            try await orchestrator.dispatch(EnrolStudent(course: "algebra", student: "bob"), key: "another")
        }
        await client.store.close()
    }

    @Test(arguments: Adapter.allCases)
    func keyedCommandsTakeEffectOnceDespiteRepeatedKills(adapter: Adapter) async throws {
        let folder = try TemporaryFolder()
        let (client, path) = try await fresh(adapter, folder)
        let orchestrator = Orchestrator(client: client, aggregates: [Wallet.self])
        let id = try await orchestrator.dispatch(CreateWallet(userID: UUID(), balance: 0)).state.id
        var count = 0
        var kills = 0
        var repeated: Int?
        while repeated == nil {
            // Always leaves keys that no process has used, so that each one has something to record.
            let before = try await client.head().rawValue
            count = Int(before) + 200
            let process = try Program("DiscoProbe", ["keyed", path, id.lowercased, String(count)])
            #expect(try await process.printed(atLeast: 6) == "ready\n")
            if kills < 8 {
                // Waits until something is recorded, so that the process is killed at work, mostly between append and
                // answer.
                await eventually { ((try? await client.head().rawValue) ?? 0) >= before + Int64.random(in: 1...30) }
                process.kill()
                _ = try await process.finish()
                kills += 1
            } else {
                let result = try await process.finish()
                #expect(result.status == 0, "\(result)")
                repeated = Int(result.output.split(separator: "\n").last ?? "")
                #expect(repeated != nil, "\(result)")
            }
        }
        #expect(repeated ?? 0 > 0)
        let events = try await client.events(in: Wallet.streamID(id)).collect()
        #expect(events.count == count + 1)
        let wallet = try await orchestrator.dispatch(DepositMoney(id: id, amount: 1), key: "key-0")
        #expect(wallet.repeated)
        #expect(wallet.state.balance == Decimal(wallet.version - 1))
        #expect(try await orchestrator.dispatch(DepositMoney(id: id, amount: 1)).state.balance == Decimal(count + 1))
        await client.store.close()
    }
}
