#if HTTP
import DiscoCore
import Foundation
import TestSupport
import Testing

/// The guide *Running a server*, followed as its readers would: its commands and programs are run, and their output is
/// compared with what the guide shows.
@Suite(.timeLimit(.minutes(2))) struct RunningAServerGuideTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    private struct Block: Sendable {
        var section: String
        var language: String
        var text: String
    }

    private let blocks: [Block]
    private let folder: TemporaryFolder

    init() throws {
        let guide = Self.root.appending(
            path: "Modules/DiscoEventStoreServer/DiscoEventStoreServer.docc/Running-a-server.md")
        var (blocks, section, open): ([Block], String, Block?) = ([], "", nil)
        for line in try String(contentsOf: guide, encoding: .utf8).components(separatedBy: "\n") {
            if let block = open {
                if line == "```" { blocks.append(block) }
                open =
                    line == "```"
                    ? nil : Block(section: section, language: block.language, text: block.text + line + "\n")
            } else if line.hasPrefix("```") {
                open = Block(section: section, language: String(line.dropFirst(3)), text: "")
            } else if line.hasPrefix("## ") {
                section = String(line.dropFirst(3))
            }
        }
        self.blocks = blocks
        folder = try TemporaryFolder()
    }

    private func blocks(in section: String, _ languages: String...) throws -> [Block] {
        let found = blocks.filter { $0.section == section && (languages.isEmpty || languages.contains($0.language)) }
        try #require(!found.isEmpty, "The guide has no blocks in \(section).")
        return found
    }

    private func start(
        port: Int = 0, _ environment: [String: String] = [:]
    ) async throws -> (Program, port: Int) {
        let (program, url) = try await Program.serving(
            "EventStoreApp", ["--port", "\(port)"],
            environment: ["DISCO_EVENT_STORE_ADAPTER": "sqlite", "DISCO_EVENT_STORE_SQLITE_PATH": folder.events]
                .merging(environment) { $1 })
        return (program, try #require(url.split(separator: ":").last.flatMap { Int($0) }, "\(url)"))
    }

    /// Runs a program with the guide's port replaced, and returns its output with the guide's.
    private func run(
        _ command: [String], port: Int, _ environment: [String: String] = [:]
    ) async throws -> Program.Result {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let program = try Program(
            "/usr/bin/env",
            ["-C", folder.path] + command.map { $0.replacing("127.0.0.1:8080", with: "127.0.0.1:\(port)") },
            environment: [
                "PATH": URL(filePath: Program.path(of: "EventStoreApp")).deletingLastPathComponent().path + ":" + path
            ].merging(environment) { $1 })
        program.endInput()
        var result = try await program.finish()
        result.output = result.output.replacing("127.0.0.1:\(port)", with: "127.0.0.1:8080")
        return result
    }

    /// What differs each time is made the same: ids and times. Line ends that curl does not print do not count.
    private func normal(_ output: String) throws -> [String] {
        let id = try Regex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
        let time = try Regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z")
        return output.replacing(id, with: "ID").replacing(time, with: "TIME").split(separator: "\n").map(String.init)
    }

    @Test func theSessionWithCurlGivesWhatTheGuideShows() async throws {
        let (server, port) = try await start()
        let session = try blocks(in: "A session with curl")
        for (command, shown) in zip(session, session.dropFirst()) where command.language == "sh" {
            let result = try await run(["bash", "-c", command.text], port: port)
            let printed = try normal(result.output)
            #expect(printed == (try normal(shown.text)), "\(command.text)\(result)")
        }
        server.signal("TERM")
        let end = try await server.finish()
        #expect(end.status == 0, "\(end)")
    }

    @Test func theClientInPythonAppendsAndFollows() async throws {
        let (server, port) = try await start()
        let program = try blocks(in: "A client in another language", "python").map(\.text).joined()
        let result = try await run(["python3", "-c", program], port: port)
        #expect(result.output == "wallet-7 {'amount': 30}\n")
        #expect(result.status == 0, "\(result.errors)")
        server.signal("TERM")
        _ = try await server.finish()
    }

    @Test func theClientInPythonRidesOutKillsOfTheServer() async throws {
        var (server, port) = try await start()
        let client = try blocks(in: "A client in another language", "python")[0].text
        let work = """
            import sys, threading
            store = EventStore("http://127.0.0.1:8080")
            def write():
                for n in range(200): store.append("n-1", [{"type": "N", "payload": n}])
            threading.Thread(target=write, daemon=True).start()
            seen = []
            for event in store.follow(types="N"):
                seen.append(event["payload"])
                if len(seen) % 50 == 0: print(len(seen), flush=True)
                if len(seen) == 200: break
            assert seen == list(range(200)), seen
            print(store.append("n-1", [{"type": "Last"}], expected=200)[0]["version"])
            """
        let text = (client + work).replacing("127.0.0.1:8080", with: "127.0.0.1:\(port)")
        let program = try Program("/usr/bin/env", ["python3", "-c", text])
        var printed = ""
        for _ in 1...2 {
            printed += try await program.printed(lines: 1)
            server.kill()
            _ = try await server.finish()
            (server, port) = try await start(port: port)
        }
        let result = try await program.finish()
        #expect((printed + result.output).hasSuffix("\n201\n"), "\(result)")
        #expect(result.status == 0, "\(result.errors)")
        server.signal("TERM")
        _ = try await server.finish()
    }

    @Test func tokensWorkAsTheGuideShows() async throws {
        let section = try blocks(in: "Tokens")
        let commands = section[0].text.split(separator: "\n").map(String.init)
        let created = try await run(["bash", "-c", commands[0]], port: 0)
        let token = created.output.trimmingCharacters(in: .newlines)
        try #require(!token.isEmpty && !token.contains("\n"), "\(created)")
        let tokens = ["DISCO_SERVER_TOKENS_FILE": folder.file("tokens.txt")]
        let (server, port) = try await start(tokens)
        let result = try await run(["bash", "-c", section[1].text], port: port, ["TOKEN": token])
        #expect(result.output == section[2].text, "\(result.errors)")

        // Another token is known once the server has read the file again, and the old one no more.
        let another = try await run(
            ["bash", "-c", "rm tokens.txt; " + commands[0].replacing("wallet-", with: "order-")], port: 0)
        server.signal("HUP")
        let retry = { (token: String) in
            try await run(
                ["bash", "-c", section[1].text], port: port,
                ["TOKEN": token.trimmingCharacters(in: .newlines)]
            ).output
        }
        try await eventually { try await retry(another.output) == "401\n403\n201\n" }
        let old = try await retry(token)
        #expect(old == "401\n401\n401\n")
        server.signal("TERM")
        let end = try await server.finish()
        #expect(end.status == 0)
        // A secret is never shown.
        #expect(!end.errors.contains(token))
    }

    @Test func withoutTokensTheServerStaysOnTheMachine() async throws {
        let result = try await Program(
            "EventStoreApp", ["serve", "--host", "0.0.0.0", "--port", "0"],
            environment: ["DISCO_EVENT_STORE_SQLITE_PATH": folder.events]
        ).finish()
        #expect(result.status == 78)
        #expect(!FileManager.default.fileExists(atPath: folder.events), "no store is opened for it")
        #expect(result.errors.contains("EventStoreApp tokens create"))
    }

    @Test func theHealthCommandTellsWhetherTheServerIsReady() async throws {
        let (server, port) = try await start()
        let ready = try await Program("EventStoreApp", ["health", "--port", "\(port)"]).finish()
        #expect(ready.status == 0)
        #expect(ready.output == "{\"status\":\"ready\",\"reasons\":[]}\n")
        server.signal("TERM")
        _ = try await server.finish()
        let gone = try await Program("EventStoreApp", ["health", "--port", "\(port)"]).finish()
        #expect(gone.status == 1)
        #expect(gone.errors.contains("does not answer"))
    }
}
#endif
