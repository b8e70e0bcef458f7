#if HTTP
import TestSupport
import Testing

/// What a server is sent by others: hostile.py says what, and what it must answer.
@Suite(.serialized) struct HostileInputTests {
    @Test(.timeLimit(.minutes(8))) func hostileInputIsRefusedAndTheServerServesOn() async throws {
        let server = try await ServingProcess.start([
            "DISCO_SERVER_REQUEST_TIMEOUT": "5", "DISCO_SERVER_IDLE_TIMEOUT": "3", "DISCO_SERVER_UNREAD_TIMEOUT": "2",
        ])
        try await server.run(
            "hostile.py", ["--request-time", "5", "--idle-time", "3", "--unread-time", "2"])
    }

    @Test(.timeLimit(.minutes(3))) func twoThousandFollowersGetEveryEventInOrder() async throws {
        try await ServingProcess.start().run("followers.py", ["--followers", "2000", "--appends", "200"])
    }
}
#endif
