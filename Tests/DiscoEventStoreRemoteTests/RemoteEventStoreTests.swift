#if HTTP
import DiscoCore
import DiscoEventStoreRemote
import DiscoTesting
import Foundation
import TestSupport
import Testing

/// The conformance suite through the network: over TLS and with a token, to a server in another process.
@Suite struct RemoteEventStoreTests {
    @Test(.timeLimit(.minutes(3)), arguments: ServerProcess.Kind.allCases, EventStoreConformance.cases)
    func conforms(_ kind: ServerProcess.Kind, to aCase: EventStoreConformance.Case) async throws {
        let servers = Locked<[Int: ServerProcess]>([:])
        let suite = EventStoreConformance(
            hasSettableClock: false,
            open: { options in
                let server = try await ServerProcess.start(kind, allowsErasing: options.allowsErasing)
                servers.withLock { $0[server.port] = server }
                return try await RemoteEventStore.open(try await server.settings(), context: options.context)
            },
            second: { store in
                try await RemoteEventStore.open(try #require(store as? RemoteEventStore).settings)
            },
            disturb: { store in
                let url = try #require(store as? RemoteEventStore).settings.url
                let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
                let server = try #require(servers.withLock { $0[port] })
                server.kill()
                try await server.restart()
            })
        if case .skipped(let lacking) = try await aCase.run(on: suite) {
            // The console does not show cancelled cases.
            print("skipped: \(aCase); this store lacks \(lacking)")
            try Test.cancel("\(lacking)")
        }
    }
}
#endif
