#if HTTP
import AsyncHTTPClient
import DiscoCore
import Foundation
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

/// `WalletApp serve` as a process, and the session of the guide.
@Suite(.timeLimit(.minutes(2))) struct ServeProcessTests {
    private func serve(
        _ arguments: [String] = [], _ environment: [String: String]
    ) async throws -> (program: Program, url: String) {
        try await Program.serving("WalletApp", ["--port", "0"] + arguments, environment: environment)
    }

    private func environment(_ folder: TemporaryFolder) -> [String: String] {
        ["DISCO_EVENT_STORE_ADAPTER": "sqlite", "DISCO_EVENT_STORE_SQLITE_PATH": folder.events]
    }

    private func ask(
        _ url: String, _ body: String? = nil, _ headers: [String: String] = [:]
    ) async throws -> (status: Int, position: String?, json: JSON) {
        let answer = try await HTTPAnswer.asking(
            body == nil ? "GET" : "POST", url, body.map { Array($0.utf8) }, headers.map { ($0, $1) })
        return (answer.status, answer.header("Disco-Position"), answer.json)
    }

    @Test(arguments: [[], ["--without-consumers"]])
    func walletsAreServedWithTheConsumersInThisProcessOrInAnother(arguments: [String]) async throws {
        let folder = try TemporaryFolder()
        let (server, url) = try await serve(arguments, environment(folder))
        let consumers =
            arguments.isEmpty ? nil : try Program("WalletApp", ["consume"], environment: environment(folder))
        let user = UUID().uuidString
        for number in 1...10 {
            let opened = try await ask(url + "/commands/create_wallet", #"{"user_id": "\#(user)", "balance": 50}"#)
            let position = try #require(opened.position)
            var listed = try await ask(url + "/queries/list_wallets?user_id=\(user)", nil, ["Disco-Position": position])
            // The other process may take a moment to start.
            while listed.status == 503, number == 1 {
                listed = try await ask(url + "/queries/list_wallets?user_id=\(user)", nil, ["Disco-Position": position])
            }
            #expect(listed.json.array?.count == number)
        }
        server.signal("TERM")
        let ended = try await server.finish()
        #expect(ended.status == 0, "\(ended)")
        #expect(ended.errors == "")
        consumers?.signal("TERM")
        if let consumers { #expect(try await consumers.finish().status == 0) }
    }

    @Test func aRequestInProgressIsAnsweredBeforeTheServerEnds() async throws {
        let folder = try TemporaryFolder()
        let (server, url) = try await serve(["--without-consumers"], environment(folder))
        let user = UUID().uuidString
        let opened = try await ask(url + "/commands/create_wallet", #"{"user_id": "\#(user)", "balance": 50}"#)
        // Nobody updates the read model, so this one waits until its time is over.
        async let waiting = ask(
            url + "/queries/list_wallets?user_id=\(user)", nil, ["Disco-Position": opened.position ?? ""])
        // Long enough for the request to arrive; nothing tells when it has.
        try await Task.sleep(for: .seconds(1))
        server.signal("TERM")
        #expect(try await waiting.status == 503)
        #expect(try await server.finish().status == 0)
    }

    @Test func wrongSettingsEndWithASentence() async throws {
        let folder = try TemporaryFolder()
        let open = try await Program("WalletApp", ["serve", "--host", "0.0.0.0"], environment: environment(folder))
            .finish()
        #expect(open.status == 78)
        #expect(open.errors.contains("The server authenticates no one"))
        let memory = try await Program(
            "WalletApp", ["serve", "--without-consumers"], environment: ["DISCO_EVENT_STORE_ADAPTER": "memory"]
        ).finish()
        #expect(memory.status == 78)
        let port = try await Program(
            "WalletApp", ["serve"], environment: environment(folder).merging(["DISCO_HTTP_PORT": "many"]) { $1 }
        ).finish()
        #expect(port.status == 78)
        #expect(port.errors.contains("DISCO_HTTP_PORT"))
    }

    /// Runs the commands of the guide and compares what they print; ids differ.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl"), "curl is not installed"))
    func theSessionOfTheGuideIsTrue() async throws {
        let guide = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../Modules/DiscoHTTP/DiscoHTTP.docc/Serving-a-domain.md"), encoding: .utf8)
        var (script, expected) = ("", "")
        var (isInSession, goesOn) = (false, false)
        for line in guide.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInSession = line == "```console"
            } else if isInSession, line.hasPrefix("$ ") || goesOn {
                script += (goesOn ? line : line.dropFirst(2)) + "\n"
                goesOn = line.hasSuffix("\\")
                // The answers of the server do not end their last line.
                if !goesOn { script += "echo\n" }
            } else if isInSession {
                expected += line + "\n"
            }
        }
        #expect(script.contains("curl") && !expected.isEmpty)
        let folder = try TemporaryFolder()
        let (server, url) = try await serve([], environment(folder))
        script = script.replacing("localhost:8080", with: url)
        let result = try await Program("/bin/bash", ["-c", script]).finish()
        #expect(Self.shown(result.output) == Self.shown(expected), "\(result)")
        #expect(result.errors == "")
        server.signal("TERM")
        _ = try await server.finish()
    }

    /// The lines without ids.
    private static func shown(_ text: String) -> [String] {
        text.split(separator: "\n").map { line in
            String(line).replacing(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/, with: "<id>")
                .trimmingCharacters(in: .whitespaces)
        }
    }
}
#endif
