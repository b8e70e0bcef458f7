import AppSupport
import ArgumentParser
import DiscoCore
import Foundation

struct ForgetKeys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Forgets idempotency keys that have grown old, and says how many they were.",
        discussion: """
            A request that is repeated later than that takes effect again, so keep keys for as long as anybody may repeat one: a day is \
            much for a browser, a month for a queue. Run it from time to time; events are never touched.

            Example: EventStoreApp forget-keys --older-than 30
            """)

    @Option(help: "How many days old they must be.") var olderThan: Double

    func validate() throws {
        guard (0...100_000).contains(olderThan) else {
            throw ValidationError("--older-than must be a number of days, at least 0, not \(olderThan).")
        }
    }

    func run() async throws {
        try await withClient { client in
            let date = Date(timeIntervalSinceNow: -olderThan * 86_400)
            try Output.print(["forgotten": JSON(try await client.forgetKeys(storedBefore: date))])
        }
    }
}
