#if HTTP
import DiscoCore
import DiscoHTTP
import Foundation
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing
import WalletDomain

/// The OpenAPI document, and the routes in another app.
@Suite(.timeLimit(.minutes(1))) struct DocumentTests {
    @Test func everyCommandAndQueryHasItsPathAndEveryPathAnswers() async throws {
        try await withWallets { server, wallets in
            let answer = try await server.ask("GET", "/openapi.json")
            #expect(answer.json == server.document)
            #expect(answer.json["openapi"] == "3.1.0")
            let paths = try #require(answer.json["paths"]?.object)
            for name in wallets.orchestrator.commands() {
                #expect(paths["/commands/" + name]?.object?.names == ["post"])
            }
            for name in wallets.orchestrator.queries() {
                #expect(paths["/queries/" + name]?.object?.names.sorted() == ["get", "post"])
            }
            let all =
                wallets.orchestrator.commands().map { "/commands/" + $0 }
                + wallets.orchestrator.queries().map { "/queries/" + $0 }
            let others = [
                "/commands", "/queries", "/health/live", "/health/ready", "/version", "/problems/{code}",
                "/openapi.json",
            ]
            #expect(Set(paths.names) == Set(all + others))
            for path in paths {
                for operation in path.value.object ?? [:] {
                    let url = path.name.replacing("{code}", with: "validation")
                    let method = operation.name.uppercased()
                    let answer = try await server.ask(method, url, method == "POST" ? "{}" : nil)
                    #expect(
                        operation.value["responses"]?["\(answer.status)"] != nil,
                        "\(method) \(url) answers \(answer.status) \(answer.text)")
                    // An empty command or query is refused for its fields, not for its path.
                    if all.contains(url) { #expect(answer.error == "validation") }
                }
            }
            let ids = paths.flatMap { $0.value.object?.compactMap { $0.value["operationId"]?.string } ?? [] }
            #expect(Set(ids).count == ids.count)
            #expect(try await server.ask("GET", "/commands").json["names"]?.array?.count == 5)
            #expect(try await server.ask("GET", "/queries").json["names"]?.array?.count == 3)
            #expect(try await server.ask("GET", "/version").json["version"] == "1")
            #expect(try await server.ask("GET", "/problems/none").error == "unknown_problem")
        }
    }

    @Test func theDocumentDescribesTheFields() async throws {
        try await withWallets { server, _ in
            let paths = server.document["paths"]
            let create = paths?["/commands/create_wallet"]?["post"]
            #expect(
                create?["requestBody"]?["content"]?["application/json"]?["schema"] == [
                    "type": "object",
                    "properties": ["user_id": ["type": "string", "format": "uuid"], "balance": ["type": "number"]],
                    "required": ["user_id", "balance"], "additionalProperties": false,
                ])
            let wallet = create?["responses"]?["200"]?["content"]?["application/json"]?["schema"]
            #expect(wallet?["properties"]?["is_low"] == ["type": "boolean"])
            let list = paths?["/queries/list_wallets"]?["get"]
            #expect(list?["parameters"]?[0]?["name"] == "user_id")
            #expect(list?["parameters"]?[0]?["required"] == true)
            #expect(list?["responses"]?["200"]?["content"]?["application/json"]?["schema"]?["type"] == "array")
            #expect(create?["security"] == nil)
        }
        try await withServer(
            samples, authenticate: { _ in .init() }, change: { $0.prefix = "/api" },
            { server, _ in
                let paths = server.document["paths"]
                let schema = paths?["/api/queries/echo"]?["post"]?["requestBody"]?["content"]?["application/json"]?[
                    "schema"]
                #expect(schema?["properties"]?["size"] == ["anyOf": [["enum": ["big", "small"]], ["type": "null"]]])
                #expect(schema?["properties"]?["words"]?["type"] == ["array", "null"])
                #expect(schema?["properties"]?["more"] == [:])
                #expect(schema?["required"] == ["text", "count"])
                let parameters = paths?["/api/queries/echo"]?["get"]?["parameters"]?.array ?? []
                let words = parameters.first { $0["name"] == "words" }
                #expect(words?["schema"]?["contentMediaType"] == "application/json")
                #expect(parameters.first { $0["name"] == "id" }?["schema"] == ["type": "string", "format": "uuid"])
                #expect(paths?["/api/queries/%C3%BCberblick"]?["get"] != nil)
                // Where a field is not known, others are allowed.
                let veiled = paths?["/api/queries/veiled"]?["post"]?["requestBody"]?["content"]?["application/json"]
                #expect(veiled?["schema"]?["additionalProperties"] == nil)
                #expect(paths?["/api/commands/open_door"]?["post"]?["security"] == [["token": []]])
                #expect(paths?["/api/health/live"]?["get"]?["security"] == nil)
                let (live, outside) = (
                    try await server.ask("GET", "/api/health/live"), try await server.ask("GET", "/health/live")
                )
                #expect(live.status == 200)
                #expect(outside.status == 404)
            })
    }

    @Test func theRoutesAnswerInsideAnotherApp() async throws {
        try await withWallets { _, wallets in
            var settings = OrchestratorServer.Settings()
            settings.prefix = "/wallets"
            let server = try OrchestratorServer(
                wallets.orchestrator, settings: settings, authenticate: { _ in .init(name: "page") })
            let router = Router()
            router.get("/") { _, _ in "the app's own page" }
            server.mount(on: router)
            try await Application(router: router).test(.router) { app in
                try await app.execute(uri: "/", method: .get) { #expect($0.status == .ok) }
                let user = UUID().uuidString
                let body = ByteBuffer(string: #"{"user_id": "\#(user)", "balance": 3}"#)
                let position = try await app.execute(
                    uri: "/wallets/commands/create_wallet", method: .post,
                    headers: [.contentType: "application/json"], body: body
                ) { response in
                    #expect(response.status == .ok)
                    return response.headers[.init("Disco-Position")!]
                }
                try await app.execute(
                    uri: "/wallets/queries/list_wallets?user_id=\(user)", method: .get,
                    headers: [.init("Disco-Position")!: position ?? ""]
                ) { response in
                    #expect(String(buffer: response.body).contains(#""balance":3"#))
                }
                try await app.execute(uri: "/wallets/queries/none", method: .get) { #expect($0.status == .notFound) }
                try await app.execute(uri: "/wallets/openapi.json", method: .get) { response in
                    #expect(String(buffer: response.body).contains("/wallets/commands/create_wallet"))
                }
            }
        }
    }
}
#endif
