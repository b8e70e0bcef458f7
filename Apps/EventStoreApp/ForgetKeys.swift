import AppSupport
import ArgumentParser
import DiscoCore
import Foundation

struct ForgetKeys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Forgets old idempotency keys and prints how many.",
        discussion: """
            A request that is repeated after its key was forgotten takes effect again, so keep keys for as long as \
            requests may be repeated: a day is ample for a browser, a month for a queue. Run it regularly; it never \
            changes events. The keys of policies' commands are kept unless you give --of-policies, because a parked event \
            may be tried again at any time.

            Example: EventStoreApp forget-keys --older-than 30
            """)

    @Option(help: "The minimum age of the keys to forget, in days.") var olderThan: Double

    @Flag(help: "Also forget the keys of policies' commands.") var ofPolicies = false

    func validate() throws {
        guard (0...100_000).contains(olderThan) else {
            throw ValidationError("--older-than is \(olderThan); it must be a number of days from 0 to 100000.")
        }
    }

    func run() async throws {
        try await withClient { client in
            let date = Date(timeIntervalSinceNow: -olderThan * 86_400)
            try Output.print([
                "forgotten": JSON(try await client.forgetKeys(storedBefore: date, ofPolicies: ofPolicies))
            ])
        }
    }
}
