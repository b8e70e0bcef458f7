#if HTTP
import DiscoCore
import DiscoEventStoreRemote
import DiscoEventStoreServer
import Foundation
import Logging
import TestSupport
import Testing

/// A server that is killed, restarted, frozen, drained or another one, and what its clients notice of it.
@Suite struct ServerTroubleTests {
    private func probe(_ server: ServerProcess, _ task: String, _ arguments: String...) async throws -> Program {
        let credentials = try await Credentials.shared()
        return try Program(
            "DiscoProbe", [task, server.url] + arguments,
            environment: [
                "PROBE_TOKEN": credentials.token, "PROBE_CA_FILE": credentials.folder.file("ca.pem"),
            ])
    }

    @Test(.timeLimit(.minutes(3)), arguments: ServerProcess.Kind.allCases)
    func killsUnderLoadLoseAndDoubleNothing(_ kind: ServerProcess.Kind) async throws {
        let server = try await ServerProcess.start(kind)
        let clients = try await [probe(server, "insist"), probe(server, "insist"), probe(server, "insist")]
        for client in clients { try client.send("go") }
        // Read all the time: a client whose output nobody takes stops.
        async let outputs = withThrowingTaskGroup(of: String.self) { group in
            for client in clients { group.addTask { try await client.finish().output } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let client = EventStoreClient(try await RemoteEventStore.open(try await server.settings()))
        for _ in 0..<6 {
            let more = Position(rawValue: try await client.head().rawValue + Int64.random(in: 20...200))
            try await eventually { try await client.head() >= more }
            server.kill()
            try await server.restart()
        }
        for client in clients { client.endInput() }
        var acknowledged: [String] = []
        for output in try await outputs {
            let lines = output.split(separator: "\n").map(String.init)
            #expect(lines.last == "done")
            acknowledged += lines.filter { UUID(uuidString: $0) != nil }
        }
        #expect(acknowledged.count > 100)

        let recorded = try await client.events().collect()
        #expect(recorded.map(\.position.rawValue) == Array(1...Int64(recorded.count)))
        let ids = Set(recorded.map { $0.id.uuidString })
        #expect(ids.count == recorded.count, "nothing is recorded twice")
        #expect(Set(acknowledged).isSubset(of: ids), "nothing acknowledged is lost")
        #expect(acknowledged.count == recorded.count, "each append is insisted on until it is acknowledged")
        await client.close()
    }

    @Test(.timeLimit(.minutes(2))) func followersGoOnAfterKills() async throws {
        let server = try await ServerProcess.start(.sqlite)
        let client = EventStoreClient(try await RemoteEventStore.open(try await server.settings()))
        let followers = try await [probe(server, "trace", "60"), probe(server, "trace", "60")]
        var ids: [String] = []
        for number in 0..<60 {
            let event = NewEvent(stream: "a-1", type: "T", payload: "{}")
            try await client.append(Append([event]))
            ids.append(event.id.uuidString)
            if number.isMultiple(of: 20) {
                server.kill()
                try await server.restart()
            }
        }
        for follower in followers {
            let lines = try await follower.finish().output.split(separator: "\n").dropFirst()
            #expect(lines.elementsEqual(ids.enumerated().map { "\($0 + 1) \($1)" }))
        }
        await client.close()
    }

    @Test func aStoreOpensWithoutItsServerAndWaitsForIt() async throws {
        let server = try await ServerProcess.start(.sqlite)
        server.kill()
        let log = LogCollector()
        let client = EventStoreClient(
            try await RemoteEventStore.open(
                try await server.settings(), context: StoreContext(logger: log.logger(.warning))))
        async let appended = client.append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}")]))
        async let first = client.events(in: "a-1").collect()
        await eventually { !log.events.isEmpty }
        try await server.restart()
        #expect(try await appended.last == 1)
        _ = try await first
        await client.close()
    }

    /// A server that is killed while a client connects looks like this.
    @Test func aConnectionThatIsCutDuringTheHandshakeIsTriedAgain() async throws {
        let listener = try CuttingListener()
        var settings = try await ServerProcess.settings(url: "https://127.0.0.1:\(listener.port)")
        settings.requestTimeout = .seconds(2)
        let client = EventStoreClient(try await RemoteEventStore.open(settings))
        let append = await #expect(throws: EventStoreError.self, "nothing was sent, so nothing is in doubt") {
            try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}")]))
        }
        #expect(append?.code == .unavailable)
        #expect(append?.message.contains("during the TLS handshake") == true, "\(append?.message ?? "")")
        #expect(listener.cuts > 1)
        await client.close()
    }

    @Test func aServerThatIsAwayIsATypedErrorAndNothingIsInDoubt() async throws {
        let server = try await ServerProcess.start(.sqlite)
        server.kill()
        let log = LogCollector()
        var settings = try await server.settings()
        settings.requestTimeout = .milliseconds(300)
        let store = try await RemoteEventStore.open(settings, context: StoreContext(logger: log.logger(.notice)))
        let client = EventStoreClient(store)
        let append = Append([NewEvent(stream: "a-1", type: "T", payload: "{}")])
        for _ in 0..<2 {
            let error = await #expect(throws: EventStoreError.self) { try await client.append(append) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(server.url) == true)
            let reading = await #expect(throws: EventStoreError.self) { try await client.head() }
            #expect(reading?.code == .unavailable)
        }
        try await server.restart()
        // The first connection to a new server may take longer than this client waits.
        await eventually { (try? await client.append(append)) != nil }
        // Logged once when it begins, and once when it ends.
        #expect(log.levels == [.warning, .notice])
        #expect(log.events.allSatisfy { !"\($0)".contains(settings.token ?? "?") })
        await client.close()
    }

    @Test(.timeLimit(.minutes(1))) func anAppendToAFrozenServerIsInDoubtAndIsRecordedOnce() async throws {
        let server = try await ServerProcess.start(.sqlite)
        var settings = try await server.settings()
        let client = EventStoreClient(try await RemoteEventStore.open(settings))
        settings.requestTimeout = .seconds(1)
        let impatient = EventStoreClient(try await RemoteEventStore.open(settings))
        // Only what is sent over a connection can be in doubt.
        await eventually { (try? await impatient.head()) != nil }
        try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}")]))
        let append = Append([NewEvent(stream: "a-1", type: "T", payload: "{}")])
        server.freeze()
        let unknown = await #expect(throws: OutcomeUnknown.self) { try await impatient.append(append) }
        #expect(unknown?.append == append)
        server.thaw()
        #expect(try await client.append(append).events.map(\.version) == [2])
        #expect(try await client.events().collect().count == 2)
        await impatient.close()
        await client.close()
    }

    @Test func aStoreThatIsDroppedInsteadOfClosedStopsNothing() async throws {
        let server = try await ServerProcess.start(.sqlite)
        for _ in 0..<10 {
            let client = EventStoreClient(try await RemoteEventStore.open(try await server.settings()))
            try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}")]))
        }
        _ = try await RemoteEventStore.open(try await server.settings())
        let client = EventStoreClient(try await RemoteEventStore.open(try await server.settings()))
        #expect(try await client.head() == 10)
        await client.close()
    }

    @Test(.timeLimit(.minutes(1))) func aServerThatDrainsEndsItsRequestsAndItsFollowers() async throws {
        let server = try await ServerProcess.start(.sqlite)
        let client = EventStoreClient(try await RemoteEventStore.open(try await server.settings()))
        var follower = client.subscribe(to: .all, after: .start).makeAsyncIterator()
        while let element = try await follower.next(), element != .caughtUp {}
        let result = try await server.stop()
        #expect(result?.status == 0)
        try await server.restart()
        try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}")]))
        while let element = try await follower.next() {
            if case .event(let event) = element {
                #expect(event.position == 1)
                break
            }
        }
        await client.close()
    }

    // MARK: Other servers

    @Test func wrongTokensAuthoritiesAndAddressesAreSentences() async throws {
        let server = try await ServerProcess.start(.sqlite)
        let good = try await server.settings()
        var (token, authority, plain) = (good, good, good)
        token.token = "disco_" + String(repeating: "A", count: 43)
        authority.certificateAuthorityFile = nil
        plain.url = server.url.replacing("https", with: "http")
        plain.certificateAuthorityFile = nil
        for (settings, words) in [(token, "token"), (authority, "TLS failed"), (plain, "event store server")] {
            var settings = settings
            settings.requestTimeout = .seconds(3)
            let client = EventStoreClient(try await RemoteEventStore.open(settings))
            let append = await #expect(throws: (any Error).self, "\(words)") {
                try await client.append(Append([NewEvent(stream: "a-1", type: "T", payload: "{}")]))
            }
            let shown = "\(append.map { ($0 as? OutcomeUnknown)?.underlying ?? $0 }, default: "")"
            #expect(shown.contains(words) && !shown.contains("disco_"), "\(shown)")
            // Something else may do what it is sent before it closes the connection.
            #expect((append is OutcomeUnknown) == (settings.url == plain.url))
            let read = await #expect(throws: EventStoreError.self) { try await client.head() }
            #expect(read?.message.contains(words) == true, "\(read?.message ?? "")")
            await client.close()
        }
    }

    @Test(
        arguments: [
            ("ftp://x", nil), ("https://", nil), ("https://user:secret@x", nil), ("https://x?y", nil), ("x", nil),
            ("", nil),
            ("https://x:0", nil), ("https://x\u{0}", nil), ("https://x", "a b"), ("https://x", ""),
            ("https://x", "a\nb"),
        ] as [(String, String?)])
    func settingsThatCannotWorkAreRefused(url: String, token: String?) async throws {
        let error = await #expect(throws: EventStoreError.self) {
            try await RemoteEventStore.open(.init(url: url, token: token))
        }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("secret") == false)
    }

    @Test func filesThatCannotBeReadAreRefused() async throws {
        var settings = RemoteEventStore.Settings(url: "https://x", certificateAuthorityFile: "/nothing.pem")
        let missing = await #expect(throws: EventStoreError.self) { try await RemoteEventStore.open(settings) }
        #expect(missing?.message.contains("/nothing.pem") == true)
        settings.url = "http://x"
        let plain = await #expect(throws: EventStoreError.self) { try await RemoteEventStore.open(settings) }
        #expect(plain?.code == .configuration)
    }

    @Test func aServerMayAskForAClientCertificate() async throws {
        let credentials = try await Credentials.shared()
        let server = try await ServerProcess.start(
            .sqlite, ["DISCO_SERVER_CLIENT_AUTHORITIES_FILE": credentials.folder.file("ca.pem")])
        var settings = try await server.settings()
        var impatient = settings
        impatient.requestTimeout = .seconds(1)
        let without = EventStoreClient(try await RemoteEventStore.open(impatient))
        await #expect(throws: EventStoreError.self) { try await without.head() }
        await without.close()
        settings.clientCertificate = (credentials.folder.file("client.pem"), credentials.folder.file("client.key"))
        let with = EventStoreClient(try await RemoteEventStore.open(settings))
        #expect(try await with.head() == 0)
        await with.close()
    }
}
#endif
