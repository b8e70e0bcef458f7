#if HTTP
import DiscoCore
import DiscoHTTPSupport
import HTTPTypes
import Hummingbird
import Logging

/// The routes of an orchestrator.
struct OrchestratorRoutes: Sendable {
    typealias Caller = OrchestratorServer.Caller
    typealias DomainExchange = Exchange<Caller>

    let orchestrator: Orchestrator
    let settings: OrchestratorServer.Settings
    /// Whether everyone may use the server.
    let isOpen: Bool
    let logger: Logger
    let isDraining: @Sendable () -> Bool

    /// The document describes each command and query; the routes for any name only refuse the others.
    var all: [Route<Caller>] {
        described + [.document(api, of: described, prefix: settings.prefix), anyCommand] + anyQuery
    }

    var document: JSON {
        let itself = Route<Caller>.document(api, of: described, prefix: settings.prefix)
        return api.document(of: described + [itself], prefix: settings.prefix)
    }

    private var described: [Route<Caller>] {
        commands.map { $0.tagged("Commands") } + queries.map { $0.tagged("Queries") }
            + operating.map { $0.tagged("Operating") }
    }

    /// What the routes for commands and queries need: something to authenticate, if there is an authentication.
    var scope: String? { isOpen ? nil : "use" }

    private var operating: [Route<Caller>] {
        let (title, version) = (settings.title, settings.version)
        return [
            Route(
                .get, "/commands", scope: scope,
                APIOperation(
                    "listCommands", "The names of all commands.",
                    answers: [(200, .json("The names.", APIOperation.schema("Names")))])
            ) { _ in names(orchestrator.commands()) },
            Route(
                .get, "/queries", scope: scope,
                APIOperation(
                    "listQueries", "The names of all queries.",
                    answers: [(200, .json("The names.", APIOperation.schema("Names")))])
            ) { _ in names(orchestrator.queries()) },
            .live,
            .ready(isDraining: isDraining, orchestrator.context, showsDetails: isOpen) {
                _ = try await orchestrator.head()
            },
            Route(
                .get, "/version", scope: nil,
                APIOperation(
                    "version", "The name and version of this API.",
                    answers: [(200, .json("The version.", APIOperation.schema("Version")))])
            ) { _ in .json(JSONText(["name": .string(title), "version": .string(version)])) },
            .problem,
        ]
    }

    private func names(_ names: [String]) -> Response {
        .json(JSONText(["names": .array(names.map(JSON.string))]))
    }

    private var api: OpenAPI {
        var schemas = OpenAPI.operatingSchemas
        schemas["Names"] = [
            "type": "object", "required": ["names"],
            "properties": ["names": ["type": "array", "items": ["type": "string"]]],
        ]
        schemas["Version"] = [
            "type": "object", "required": ["name", "version"],
            "properties": ["name": ["type": "string"], "version": ["type": "string"]],
        ]
        return OpenAPI(
            title: settings.title, version: settings.version,
            text: """
                Commands change something, queries answer.

                - Errors are problem documents (RFC 9457); `GET /problems/{code}` explains the general ones.
                - The answer to a command names the position of what it recorded in the header Disco-Position. A query \
                with this header includes it.
                """,
            schemas: schemas,
            security: OpenAPI.Security(scheme: settings.securityScheme, isOptional: false))
    }

    /// Runs a command or query for its caller. What went wrong inside is for the log, not for the caller.
    func run(
        _ name: String, _ exchange: DomainExchange, _ body: () async throws -> Response
    ) async throws -> Response {
        do {
            return try await Caller.$current.withValue(exchange.caller) { try await body() }
        } catch let problem as Problem {
            throw problem
        } catch {
            let description = ErrorDescription(error)
            guard description.kind == .internal, description.code != EventStoreError.Code.unsupported.name else {
                throw error
            }
            logger.error(
                "\(name) failed", metadata: ["code": "\(description.code)", "error": "\(description.message)"])
            throw Problem(
                .internalServerError, description.code,
                "\(name) failed because of an error in the server. Its log says more.")
        }
    }

    /// The one value of a header; `nil` if the request does not have it.
    func header(_ name: HTTPField.Name, _ exchange: DomainExchange) throws -> String? {
        let values = exchange.request.headers[values: name]
        guard values.count <= 1 else { throw ValidationError([name.rawName: ["occurs twice"]]) }
        return values.first
    }
}
#endif
