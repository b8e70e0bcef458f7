import CourseDomain
import DiscoConsumers
import DiscoCore
import DiscoEventStorePostgres
import DiscoEventStoreSQLite
import Foundation
import Logging
import Synchronization
import WalletDomain

#if HTTP
import DiscoEventStoreRemote
#endif

/// A process for tests to start, observe, kill and restart.
@main
struct DiscoProbe {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let (task, path, rest) = (arguments[1], arguments[2], Array(arguments.dropFirst(3)))
        switch task {
        case "deposit":
            let ids = rest.dropFirst(2).compactMap { UUID(uuidString: $0) }
            try await deposit(wallets(path), tasks: Int(rest[0]) ?? 1, count: Int(rest[1]) ?? 1, ids)
        case "transfer": try await transfer(wallets(path), rest.compactMap { UUID(uuidString: $0) })
        case "acknowledge": try await acknowledge(path, count: Int(rest[0]) ?? 1, durability: rest[1])
        case "race": try await race(path, seconds: Double(rest[0]) ?? 1)
        case "fill": try await fill(path, ballast: rest[0])
        case "open": await open(path)
        case "enrol": try await enrol(path, course: rest[0], student: rest[1], count: Int(rest[2]) ?? 1)
        case "die": try await die(path, rest[0], key: rest[1])
        case "keyed": try await keyed(path, rest[0], count: Int(rest[1]) ?? 1)
        case "fuzz": try await Fuzz.run(path, seconds: Double(rest[0]) ?? 10, seed: UInt64(rest[1]) ?? 1)
        case "fuzz-json": try FuzzJSON.run(path, seconds: Double(rest[0]) ?? 10, seed: UInt64(rest[1]) ?? 1)
        case "insist": try await insist(path)
        case "trace": try await trace(path, count: Int(rest[0]) ?? 1)
        case "consume":
            try await consume(
                path, partitions: Int(rest[0]) ?? 1, lease: .milliseconds(Int(rest[1]) ?? 500))
        case "wander": try await wander(path, in: rest[0])
        default: preconditionFailure("Unknown task \(task).")
        }
    }

    /// A file, the URL of a database and a schema with a `#` between them, or that of a server.
    private static func store(_ path: String) async throws -> any EventStore {
        #if HTTP
        if path.hasPrefix("http") {
            let environment = ProcessInfo.processInfo.environment
            return try await RemoteEventStore.open(
                .init(
                    url: path, token: environment["PROBE_TOKEN"], certificateAuthorityFile: environment["PROBE_CA_FILE"]
                ))
        }
        #endif
        let parts = path.split(separator: "#").map(String.init)
        guard parts.count == 2 else { return try await SQLiteEventStore.open(path: path) }
        return try await PostgresEventStore.open(.init(url: parts[0], schema: parts[1]))
    }

    /// Opens a relative path, changes the working directory, and prints how many of its events it reads there.
    private static func wander(_ path: String, in folder: String) async throws {
        for name in ["here", "there"] {
            try FileManager.default.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
        }
        guard FileManager.default.changeCurrentDirectoryPath(folder + "/here") else { return }
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        guard FileManager.default.changeCurrentDirectoryPath(folder + "/there") else { return }
        for _ in 0..<16 {
            try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}")]))
        }
        let read = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<16 { group.addTask { try await client.events().collect().count } }
            return try await group.reduce(0) { $0 + ($1 == 16 ? 1 : 0) }
        }
        await client.store.close()
        say("\(read) of 16")
    }

    private static func wallets(_ path: String) async throws -> Wallets {
        let logger = Logger(label: "probe") { StreamLogHandler.standardError(label: $0) }
        return Wallets(
            events: try await SQLiteEventStore.open(path: path),
            readModels: try await SQLiteReadModelStore.open(path: path + ".read-models"),
            logger: logger)
    }

    /// One short write is atomic, so lines of several tasks do not mix.
    static func say(_ line: some CustomStringConvertible) {
        try? FileHandle.standardOutput.write(contentsOf: Data("\(line)\n".utf8))
    }

    /// Waits for a line of input, dispatches deposits of 1, and prints how many conflicts were decided again.
    private static func deposit(_ wallets: Wallets, tasks: Int, count: Int, _ ids: [UUID]) async throws {
        say("ready")
        _ = readLine()
        let again = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    var again = 0
                    for number in stride(from: task, to: count, by: tasks) {
                        let deposit = DepositMoney(id: ids[number % ids.count], amount: 1)
                        again += try await wallets.orchestrator.dispatch(deposit).conflicts
                    }
                    return again
                }
            }
            return try await group.reduce(0, +)
        }
        say(again)
    }

    /// Transfers 1 back and forth forever, updates the projection, and prints the head after each acknowledged
    /// transfer.
    private static func transfer(_ wallets: Wallets, _ ids: [UUID]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await wallets.consumers.run() }
            for task in 0..<8 {
                group.addTask {
                    while true {
                        try await wallets.orchestrator.dispatch(
                            TransferMoney(from: ids[task % 2], to: ids[(task + 1) % 2], amount: 1))
                        say(try await wallets.client.head())
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Appends one event after the other and prints a line for each that was acknowledged.
    private static func acknowledge(_ path: String, count: Int, durability: String) async throws {
        var settings = SQLiteEventStore.Settings(path: path)
        settings.durability = SQLiteEventStore.Durability(rawValue: durability) ?? .full
        let client = EventStoreClient(try await SQLiteEventStore.open(settings))
        for number in 0..<count {
            try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}")]))
            say("acknowledged \(number)")
        }
        await client.store.close()
    }

    /// Appends at full speed from 16 tasks for a time and prints how many appends were acknowledged.
    private static func race(_ path: String, seconds: Double) async throws {
        let client = EventStoreClient(try await store(path))
        say("ready")
        _ = readLine()
        let end = ContinuousClock.now + .seconds(seconds)
        let recorded = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<16 {
                group.addTask {
                    var recorded = 0
                    while ContinuousClock.now < end {
                        try await client.append(
                            Append([NewEvent(stream: StreamID("s-\(task)"), type: "T", payload: "{}")]))
                        recorded += 1
                    }
                    return recorded
                }
            }
            return try await group.reduce(0, +)
        }
        say(recorded)
    }

    /// Appends until the disk is full, removes the ballast and appends again; prints the results.
    private static func fill(_ path: String, ballast: String) async throws {
        let client = EventStoreClient(try await SQLiteEventStore.open(path: path))
        let payload = JSONText(.string(String(repeating: "x", count: 100_000)))
        var recorded = 0
        do {
            while true {
                try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: payload)]))
                recorded += 1
            }
        } catch let error as EventStoreError {
            say(error.code.name)
        }
        let readable = try await client.events(in: "a-1").collect().count
        try FileManager.default.removeItem(atPath: ballast)
        try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}")]))
        let after = try await client.events(in: "a-1").collect().map(\.version)
        say(readable == recorded && after == Array(1...recorded + 1) ? "sound" : "\(recorded) \(readable) \(after)")
    }

    private static let inputHasEnded = Atomic(false)

    /// Appends single events from 8 tasks until the input ends, each again and again until it is recorded, and prints
    /// the id of each event that was acknowledged.
    private static func insist(_ path: String) async throws {
        let client = EventStoreClient(try await store(path))
        say("ready")
        _ = readLine()
        Thread.detachNewThread {
            while readLine() != nil {}
            inputHasEnded.store(true, ordering: .relaxed)
        }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    while !inputHasEnded.load(ordering: .relaxed) {
                        let event = NewEvent(stream: StreamID("s-\(task)"), type: "T", payload: "{}")
                        while (try? await client.append(Append([event]))) == nil {}
                        say(event.id)
                    }
                }
            }
        }
        await client.store.close()
        say("done")
    }

    /// Follows all events until there are `count`, and prints the position and id of each.
    private static func trace(_ path: String, count: Int) async throws {
        let client = EventStoreClient(try await store(path))
        say("ready")
        var left = count
        for try await element in client.subscribe(to: .all, after: .start) {
            guard case .event(let event) = element else { continue }
            say("\(event.position) \(event.id)")
            left -= 1
            if left == 0 { break }
        }
        await client.store.close()
    }

    /// Waits for a line of input and enrols students concurrently; prints how many were enrolled and how many decisions
    /// were made again.
    private static func enrol(_ path: String, course: String, student: String, count: Int) async throws {
        let orchestrator = Orchestrator(client: EventStoreClient(try await store(path)))
        say("ready")
        _ = readLine()
        let (enrolled, conflicts) = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for number in 0..<count {
                group.addTask {
                    do {
                        let enrolment = EnrolStudent(course: course, student: "\(student)-\(number)")
                        return (1, try await orchestrator.dispatch(enrolment).conflicts)
                    } catch CourseRefusal.full {
                        return (0, 0)
                    }
                }
            }
            return try await group.reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
        }
        say("\(enrolled) \(conflicts)")
    }

    /// Dispatches a deposit or an enrolment under a key and is killed between the append and the answer.
    private static func die(_ path: String, _ target: String, key: String) async throws {
        let orchestrator = Orchestrator(
            client: EventStoreClient(FatalEventStore(base: try await store(path))), aggregates: [Wallet.self])
        if let id = UUID(uuidString: target) {
            try await orchestrator.dispatch(DepositMoney(id: id, amount: 1), key: key)
        } else {
            try await orchestrator.dispatch(EnrolStudent(course: target, student: "ada"), key: key)
        }
        say("survived")
    }

    /// Deposits 1 under each of `count` keys and prints how many were repeats.
    private static func keyed(_ path: String, _ wallet: String, count: Int) async throws {
        let orchestrator = Orchestrator(client: EventStoreClient(try await store(path)), aggregates: [Wallet.self])
        guard let id = UUID(uuidString: wallet) else { preconditionFailure("\(wallet) is not a UUID.") }
        say("ready")
        let repeated = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var repeated = 0
                    for number in stride(from: task, to: count, by: 8) {
                        let deposit = DepositMoney(id: id, amount: 1)
                        let dispatched = try await orchestrator.dispatch(deposit, key: "key-\(number)")
                        repeated += dispatched.repeated ? 1 : 0
                    }
                    return repeated
                }
            }
            return try await group.reduce(0, +)
        }
        say(repeated)
    }

    /// Prints why the file cannot be opened.
    private static func open(_ path: String) async {
        do {
            _ = try await SQLiteEventStore.open(path: path)
            say("opened")
        } catch {
            say((error as? EventStoreError)?.code.name ?? "\(error)")
        }
    }
}

/// Kills its process as soon as something is recorded.
private struct FatalEventStore: EventStore {
    let base: any EventStore

    var abilities: StoreAbilities { base.abilities }

    func append(_ append: Append) async throws -> Appended {
        let appended = try await base.append(append)
        if !appended.repeated { kill(getpid(), SIGKILL) }
        return appended
    }

    func page(_ read: Read) async throws -> Page { try await base.page(read) }
    func wait(beyond position: Position) async throws { try await base.wait(beyond: position) }
    func identity() async throws -> StoreIdentity { try await base.identity() }
    func close() async { await base.close() }
}
