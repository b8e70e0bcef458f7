import DiscoCore
import DiscoEventStoreSQLite
import Foundation
import GRDB
import TestSupport
import Testing

/// The store's file when other processes use it, when the disk is full, and after a kill.
@Suite(.timeLimit(.minutes(2))) struct SQLiteTroubleTests {
    private func append(_ client: EventStoreClient, _ stream: StreamID = "a-1", bytes: Int = 10) async throws {
        let payload = JSONText(.string(String(repeating: "x", count: bytes)))
        try await client.append(Append([NewEvent(stream: stream, type: "T", payload: payload)]))
    }

    /// A session that may leave a transaction open.
    private func otherSession(_ folder: TemporaryFolder) throws -> DatabaseQueue {
        var configuration = GRDB.Configuration()
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: folder.events, configuration: configuration)
    }

    @Test func aFileLockedForTooLongIsReportedAndWorksAgainAfterwards() async throws {
        let folder = try TemporaryFolder()
        var settings = SQLiteEventStore.Settings(path: folder.events)
        settings.busyTimeout = .milliseconds(300)
        let client = EventStoreClient(try await SQLiteEventStore.open(settings))
        let other = try otherSession(folder)
        try other.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let error = await #expect(throws: EventStoreError.self) { try await append(client) }
        #expect(error?.code == .busy)
        try other.inDatabase { try $0.execute(sql: "ROLLBACK") }
        try await append(client)
        #expect(try await client.head() == 1)
        await client.store.close()
    }

    /// Grows the log beyond the size at which it is truncated, so that truncation is tried repeatedly.
    @Test func aReaderIdleInATransactionStallsNobodyAndTheLogIsTruncatedLater() async throws {
        let folder = try TemporaryFolder()
        let client = EventStoreClient(try await SQLiteEventStore.open(path: folder.events))
        try await append(client)
        let other = try otherSession(folder)
        try other.inDatabase { db in
            try db.execute(sql: "BEGIN")
            #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM disco_events") == 1)
        }
        let follower = Task {
            var seen = 0
            for try await case .event in client.subscribe(after: 1) {
                seen += 1
                if seen == 800 { break }
            }
        }
        var slowest = Duration.zero
        for _ in 0..<800 {
            let start = ContinuousClock.now
            try await append(client, bytes: 100_000)
            slowest = max(slowest, ContinuousClock.now - start)
        }
        try await follower.value
        // A truncation blocks writers for 0.2 s; SQLite itself would block them for its busy timeout of ten seconds.
        #expect(slowest < .seconds(6))
        let log = folder.events + "-wal"
        #expect(try size(log) > 64 << 20)
        #expect(try other.inDatabase { try Int.fetchOne($0, sql: "SELECT count(*) FROM disco_events") } == 1)
        try other.inDatabase { try $0.execute(sql: "COMMIT") }
        try await eventually(within: .seconds(60)) {
            try await append(client)
            return try size(log) <= 64 << 20
        }
        await client.store.close()
    }

    private func size(_ path: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }

    @Test func twoProcessesAppendingAtFullSpeedBothGetTheirShare() async throws {
        let folder = try TemporaryFolder()
        let programs = try (0..<2).map { _ in try Program("DiscoProbe", ["race", folder.events, "2"]) }
        for program in programs { #expect(try await program.printed(atLeast: 6) == "ready\n") }
        for program in programs { try program.send("go") }
        var recorded: [Int] = []
        for program in programs {
            let result = try await program.finish()
            recorded.append(try #require(Int(result.output.dropLast()), "\(result)"))
        }
        let all = recorded.reduce(0, +)
        #expect(recorded.allSatisfy { 4 * $0 >= all }, "\(recorded)")
        let client = EventStoreClient(try await SQLiteEventStore.open(path: folder.events))
        #expect(try await client.head() == Position(rawValue: Int64(all)))
        #expect(try await client.verify().isEmpty)
        await client.store.close()
    }

    @Test func concurrentOpensOfANewFileMigrateItOnce() async throws {
        let folder = try TemporaryFolder()
        let programs = try (0..<8).map { _ in try Program("DiscoProbe", ["open", folder.events]) }
        for program in programs { #expect(try await program.finish().output == "opened\n") }
    }

    /// Runs commands on a separate file system with room for a few megabytes.
    private func onASmallDisk(_ folder: TemporaryFolder, _ commands: String) async throws -> Program.Result {
        let script = "set -e; cd \"$0\"; mount -t tmpfs -o size=6m tmpfs .; cd \"$0\"; \(commands)"
        let probe = Program.path(of: "DiscoProbe")
        return try await Program(
            "/usr/bin/unshare", ["--map-root-user", "--mount", "/bin/sh", "-c", script, folder.path, probe]
        ).finish()
    }

    @Test func aFullDiskIsReportedLosesNothingAndWorksAgainAfterwards() async throws {
        let result = try await onASmallDisk(
            TemporaryFolder(), "head -c 1500000 /dev/zero > ballast; \"$1\" fill events.sqlite ballast")
        #expect(result.output == "store_full\nsound\n", "\(result)")
    }

    @Test func aReadOnlyFileIsRefusedAtOpening() async throws {
        let result = try await onASmallDisk(
            TemporaryFolder(),
            """
            "$1" acknowledge events.sqlite 1 full >acknowledged; mount -o remount,ro .; "$1" open events.sqlite; "$1" open new.sqlite
            """)
        #expect(result.output == "store_read_only\nstore_unavailable\n", "\(result)")
    }

    /// The page cache survives a kill, so only the system calls show whether acknowledged events are on disk.
    @Test(arguments: SQLiteEventStore.Durability.allCases)
    func everyAppendIsFlushedBeforeItIsAcknowledged(durability: SQLiteEventStore.Durability) async throws {
        let folder = try TemporaryFolder()
        let trace = folder.file("trace")
        let result = try await Program(
            "/usr/bin/strace",
            [
                "--follow-forks", "--decode-fds=path", "--string-limit=16", "--trace=pwrite64,fsync,fdatasync,write",
                "--output=" + trace, Program.path(of: "DiscoProbe"), "acknowledge", folder.events, "100",
                durability.rawValue,
            ]
        ).finish()
        #expect(result.status == 0, "\(result)")
        var flushes = FlushTrace()
        for line in try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n") { flushes.read(line) }
        #expect(flushes.acknowledged == 100)
        switch durability {
        case .full: #expect(flushes.tooEarly == 0)
        // Without flushes the trace must show missing ones; otherwise it would prove nothing.
        case .processCrash: #expect(flushes.tooEarly > 50)
        }
    }
}

/// Reads a trace of system calls and checks that everything written to the log was flushed before each
/// acknowledgement was printed.
private struct FlushTrace {
    private(set) var acknowledged = 0
    private(set) var tooEarly = 0
    private var isDirty = false
    /// Threads in a flush whose end is not traced yet.
    private var flushing: Set<Substring> = []

    mutating func read(_ line: Substring) {
        let thread = line.prefix { $0.isNumber }
        if line.contains("pwrite64("), line.contains("-wal>") {
            isDirty = true
        } else if line.contains("sync("), line.contains("-wal>") {
            if line.contains("unfinished") { flushing.insert(thread) } else { isDirty = false }
        } else if line.contains("sync resumed"), flushing.remove(thread) != nil {
            isDirty = false
        } else if line.contains("write("), line.contains("\"acknowledged") {
            acknowledged += 1
            if isDirty { tooEarly += 1 }
        }
    }
}
