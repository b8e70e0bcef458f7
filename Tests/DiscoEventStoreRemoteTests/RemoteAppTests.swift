#if HTTP
import DiscoCore
import Foundation
import TestSupport
import Testing

/// The sample apps on a server, by configuration alone.
@Suite struct RemoteAppTests {
    private func environment(_ server: ServerProcess, _ folder: TemporaryFolder) async throws -> [String: String] {
        let credentials = try await Credentials.shared()
        return [
            "DISCO_EVENT_STORE_ADAPTER": "remote", "DISCO_EVENT_STORE_REMOTE_URL": server.url,
            "DISCO_EVENT_STORE_REMOTE_TOKEN": credentials.token,
            "DISCO_EVENT_STORE_REMOTE_CA_FILE": credentials.folder.file("ca.pem"),
            "DISCO_READ_MODELS_SQLITE_PATH": folder.file("read-models.sqlite"),
        ]
    }

    @Test(.timeLimit(.minutes(1))) func theWalletsAreOnTheServerAndTheirReadModelsAreLocal() async throws {
        let server = try await ServerProcess.start(.sqlite)
        let folder = try TemporaryFolder()
        let environment = try await environment(server, folder)
        let user = UUID().uuidString.lowercased()
        let created = try await Program(
            "WalletApp", ["dispatch", "create_wallet", #"{"user_id": "\#(user)", "balance": 100}"#],
            environment: environment
        ).finish()
        #expect(created.status == 0, "\(created.errors)")
        // Another process, with read models of its own.
        let listed = try await Program(
            "WalletApp", ["query", "list_wallets", #"{"user_id": "\#(user)"}"#], environment: environment
        ).finish()
        #expect(listed.status == 0, "\(listed.errors)")
        #expect(listed.output.contains(user) && listed.output.contains("100"), "\(listed.output)")
        #expect(FileManager.default.fileExists(atPath: folder.file("read-models.sqlite")))

        let read = try await Program("EventStoreApp", ["read", "--all"], environment: environment).finish()
        #expect(read.status == 0, "\(read.errors)")
        #expect(read.output.contains("WalletCreated"), "\(read.output)")
        let verified = try await Program("EventStoreApp", ["verify"], environment: environment).finish()
        #expect(verified.status == 0, "\(verified.output) \(verified.errors)")
    }

    @Test func aSettingThatIsMissingIsNamed() async throws {
        let result = try await Program(
            "EventStoreApp", ["read", "--all"], environment: ["DISCO_EVENT_STORE_ADAPTER": "remote"]
        ).finish()
        #expect(result.status == 78)
        #expect(result.errors.contains("DISCO_EVENT_STORE_REMOTE_URL"), "\(result.errors)")
        let wrong = try await Program(
            "EventStoreApp", ["read", "--all"],
            environment: [
                "DISCO_EVENT_STORE_ADAPTER": "remote", "DISCO_EVENT_STORE_REMOTE_URL": "http://127.0.0.1:1",
                "DISCO_EVENT_STORE_REMOTE_TOKN": "x",
            ]
        ).finish()
        #expect(wrong.status == 78)
        #expect(wrong.errors.contains("DISCO_EVENT_STORE_REMOTE_TOKEN"), "\(wrong.errors)")
    }
}
#endif
