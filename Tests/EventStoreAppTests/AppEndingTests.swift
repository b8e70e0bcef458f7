import DiscoCore
import Foundation
import TestSupport
import Testing

/// How the apps end: by a signal, when output cannot be written, or because of an invalid setting.
@Suite(.timeLimit(.minutes(2))) struct AppEndingTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var environment: [String: String] { ["DISCO_EVENT_STORE_SQLITE_PATH": folder.events] }

    private func run(
        _ arguments: String..., more: [String: String] = [:], app: String = "EventStoreApp"
    ) async throws -> Program.Result {
        try await Program(app, arguments, environment: environment.merging(more) { $1 }).finish()
    }

    private func shell(_ command: String) async throws -> Program.Result {
        try await Program(
            "/bin/sh", ["-c", command],
            environment: environment.merging(["app": Program.path(of: "EventStoreApp")]) { $1 }
        ).finish()
    }

    private func exists(_ suffix: String) -> Bool { FileManager.default.fileExists(atPath: folder.events + suffix) }

    @Test func everyCommandStoresItsEventsInTheFileItself() async throws {
        for arguments in [
            ["append", "a-1", "T", "{}"], ["read", "--all"], ["streams"], ["stats"], ["verify"], ["consumers"],
            ["migrate"],
            ["append", "a-1", "T", "{}", "--expect", "none"],
        ] {
            _ = try await Program("EventStoreApp", arguments, environment: environment).finish()
            #expect(!exists("-wal"), "\(arguments)")
        }
    }

    @Test(arguments: ["TERM", "INT"]) func aSignalEndsAnAppAndClosesItsStores(signal: String) async throws {
        #expect(try await run("append", "a-1", "T", "{}").status == 0)
        for (app, arguments) in [("EventStoreApp", ["tail", "--after", "0"]), ("WalletApp", ["consume"])] {
            let program = try Program(app, arguments, environment: environment)
            if app == "EventStoreApp" {
                _ = try await program.printed(atLeast: 10)
            } else {
                await eventually { exists(".read-models-wal") }
            }
            program.signal(signal)
            let result = try await program.finish()
            #expect(result.status == 0, "\(app): \(result)")
            await eventually { !exists("-wal") }
            #expect(!exists(".read-models-wal"))
        }
    }

    @Test func outputThatCannotBeWrittenEndsTheAppWithAnErrorStatus() async throws {
        for _ in 0..<3 { #expect(try await run("append", "a-1", "T", "{}").status == 0) }
        for command in ["read --all", "streams", "stats", "tail --after 0", "migrate", "migrations --adapter sqlite"] {
            let result = try await shell("\"$app\" \(command) > /dev/full")
            #expect(result.status == 74, "\(command): \(result)")
            #expect(result.errors.contains("\"error\":\"output\""), "\(result)")
        }
        // A reader that closes the pipe early is not a failure.
        let result = try await shell("(\"$app\" read --all; echo $? >&2) | head -1")
        #expect(result.errors == "0\n")
        #expect(!exists("-wal"))
    }

    @Test(arguments: [
        ("DISCO_EVENT_STORE_SQLITE_PAHT", "DISCO_EVENT_STORE_SQLITE_PATH"),
        ("DISCO_EVENT_STORE_ADAPTOR", "DISCO_EVENT_STORE_ADAPTER"),
        ("DISCO_EVENTSTORE_ADAPTER", "DISCO_EVENT_STORE_ADAPTER"),
        ("DISCO_CONFIGFILE", "DISCO_CONFIG_FILE"),
    ])
    func aMisspelledVariablePreventsTheStart(name: String, nearest: String) async throws {
        for app in ["EventStoreApp", "WalletApp"] {
            let result = try await run(app == "WalletApp" ? "demo" : "stats", more: [name: "x"], app: app)
            #expect(result.status == 78, "\(result)")
            #expect(result.errors.contains("\(name) is not a setting. Did you mean \(nearest)?"), "\(result)")
            #expect(!exists(""))
        }
    }

    @Test(arguments: [
        (
            "yaml", "disco: {eventStore: {sqlite: {paht: x}}}", "disco.eventStore.sqlite.paht",
            "disco.eventStore.sqlite.path"
        ),
        (
            "json", #"{"disco": {"eventStore": {"adaptor": "sqlite"}}}"#, "disco.eventStore.adaptor",
            "disco.eventStore.adapter"
        ),
        ("yaml", "disko: {eventStore: {adapter: sqlite}}", "disko.eventStore.adapter", "disco.eventStore.adapter"),
        (
            "yaml", "disco: {eventStore: {adapter: [postgres]}}", "disco.eventStore.adapter",
            "is a list; it must be one value"
        ),
        ("json", #"{"disco": {"eventStore": {"adapter": ["postgres"]}}}"#, "disco.eventStore.adapter", "is a list"),
        ("json", #"{"disco": {"eventStore": {"adapter": 5}}}"#, "disco.eventStore.adapter", "is \"5\""),
        ("yaml", "disco: {eventStore: {sqlite: {allowsErasing: 1}}}", "allowsErasing", "is \"1\""),
        ("json", #"{"disco": {"eventStore": {"sqlite": {"busyTimeout": -1.5}}}}"#, "busyTimeout", "is \"-1.5\""),
        ("yaml", "disco: {eventStore: {sqlite: {busyTimeout: soon}}}", "busyTimeout", "allowed values: seconds"),
    ])
    func anInvalidFilePreventsTheStart(kind: String, text: String, key: String, hint: String) async throws {
        let path = folder.file("settings.\(kind)")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let result = try await run("stats", more: ["DISCO_CONFIG_FILE": path])
        #expect(result.status == 78, "\(result)")
        let message = try JSONText(result.errors).value()["message"]?.string ?? ""
        #expect(message.contains(key) && message.contains(hint), "\(result)")
    }

    @Test(arguments: [
        ("yaml", "disco:\n  eventStore:\n    adapter: sqlite\n    sqlite: {busyTimeout: 2.5, allowsErasing: true}\n"),
        (
            "json",
            #"{"disco": {"eventStore": {"adapter": "sqlite", "sqlite": {"busyTimeout": 2.5, "allowsErasing": true}}}}"#
        ),
    ])
    func aFileWithValidKeysIsRead(kind: String, text: String) async throws {
        let path = folder.file("settings.\(kind)")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try await run("stats", more: ["DISCO_CONFIG_FILE": path]).status == 0)
    }
}
