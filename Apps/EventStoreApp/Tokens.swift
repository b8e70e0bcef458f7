#if HTTP
import AppSupport
import ArgumentParser
import DiscoCore
import DiscoEventStoreServer
import Foundation

struct Tokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Creates tokens for the server, or lists those of a file.",
        discussion: """
            The server keeps only hashes of its tokens. Name their file in DISCO_SERVER_TOKENS_FILE, or put its lines, \
            separated by semicolons, into DISCO_SERVER_TOKENS. To replace a token, create a second one of the same name \
            and prefixes, give it to its users, and remove the line of the old one. To revoke a token, remove its line. \
            A running server reads the file again on SIGHUP.
            """, subcommands: [Create.self, List.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates a token and prints it, once.",
            discussion: """
                The first line of the output is the token, for its user. Without --file, the second line is the line for \
                the server's tokens file, which does not contain the token. No scope implies another.

                Example: EventStoreApp tokens create --name web --scope read --scope append --prefix wallet- --file \
                tokens.txt
                """)

        @Option(help: "Whom the token is for: up to 64 letters, digits, dots, hyphens and underscores.")
        var name: String
        @Option(
            name: .customLong("scope"),
            help: "What the token allows: read, append, consume or admin; repeat it for several scopes.",
            transform: Self.scope)
        var scopes: [AccessScope]
        @Option(
            name: .customLong("prefix"),
            help: """
                Allow only streams whose names begin with this text; repeat it for several. With its hyphen, wallet- is \
                one category (default: all streams).
                """)
        var prefixes: [String] = []
        @Option(help: "When the token stops being valid, for example 2027-01-01T00:00:00Z (default: never).")
        var expires: Expiry?
        @Option(help: "The tokens file to add the token to; it is created if it does not exist.") var file: String?

        struct Expiry: ExpressibleByArgument {
            var date: Date

            init?(argument: String) {
                guard let date = Timestamp.date(from: argument) else { return nil }
                self.date = date
            }
        }

        private static func scope(_ text: String) throws -> AccessScope {
            guard let scope = AccessScope(rawValue: text) else {
                let known = AccessScope.allCases.map(\.rawValue).joined(separator: ", ")
                throw ArgumentParser.ValidationError("\"\(text)\" is not a scope. The scopes are \(known).")
            }
            return scope
        }

        func validate() throws {
            guard !scopes.isEmpty else { throw ArgumentParser.ValidationError("Name at least one --scope.") }
            if let expires, expires.date <= Date() {
                throw ArgumentParser.ValidationError("--expires lies in the past, so the token would never be valid.")
            }
        }

        func run() async throws {
            try await Output.reporting {
                let (token, secret) = try AccessToken.make(
                    name: name, scopes: Set(scopes), prefixes: prefixes, expires: expires?.date)
                if let file { try AccessTokens.add(token, toFile: file) }
                try Output.write(secret)
                if file == nil { try Output.write(token.line) }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the tokens of a file: name, scopes, prefixes and expiry.")

        @Option(help: "The tokens file.") var file: String
        @OptionGroup var rows: RowOptions

        func run() async throws {
            try await Output.reporting {
                var table = Table(["name", "scopes", "prefixes", "expires", "expired"], json: rows.json)
                for token in try AccessTokens.list(inFile: file) {
                    let scopes = AccessScope.allCases.filter(token.scopes.contains)
                    try table.add([
                        "name": .string(token.name), "scopes": .array(scopes.map { .string($0.rawValue) }),
                        "prefixes": .array(token.prefixes.map(JSON.string)),
                        "expires": token.expires.flatMap { Timestamp.text(of: $0) }.map(JSON.string) ?? .null,
                        "expired": .bool(token.isExpired(at: Date())),
                    ])
                }
                try table.finish()
            }
        }
    }
}
#endif
