#if HTTP
import DiscoCore
import DiscoHTTPSupport
import HTTPTypes
import Hummingbird

extension OrchestratorRoutes {
    var queries: [Route<Caller>] {
        orchestrator.queries().flatMap { name in
            orchestrator.fields(ofQuery: name).map { [query(name, $0), postedQuery(name, $0)] } ?? []
        }
    }

    private static let position = APIOperation.Parameter.header(
        "Disco-Position",
        "The position that the answer must include, from the answer to a command. The query waits until its read model "
            + "has reached it. One beyond the store's last position is refused.", APIOperation.position)

    private static let problems = [403, 404, 409, 410, 422, 429, 501, 504]

    private func answer(_ fields: RequestFields) -> APIOperation.Answer {
        APIOperation.Answer(
            "The result.", [(MediaType.json, fields.outputSchema)],
            headers: [
                .init(
                    "Disco-Position", "The position that the result includes, if the request named one.",
                    APIOperation.position)
            ])
    }

    private func query(_ name: String, _ fields: RequestFields) -> Route<Caller> {
        Route(
            .get, "/queries/" + PercentEncoding.encode(name), scope: scope,
            APIOperation(
                "query_" + name, "Answers the query \(name).",
                parameters: fields.fields.map {
                    .query($0.name, "The field \($0.name).", $0.textSchema, isRequired: $0.isRequired)
                } + [Self.position],
                answers: [(200, answer(fields))], problems: Self.problems),
            isStrict: fields.isComplete
        ) { exchange in try await ask(name, self.fields(fields, exchange), exchange) }
    }

    private func postedQuery(_ name: String, _ fields: RequestFields) -> Route<Caller> {
        Route(
            .post, "/queries/" + PercentEncoding.encode(name), scope: scope,
            APIOperation(
                "post_query_" + name, "Answers the query \(name), with its fields as JSON.",
                parameters: [Self.position], body: [(MediaType.json, fields.schema)],
                answers: [(200, answer(fields))], problems: Self.problems)
        ) { exchange in try await ask(name, try await exchange.body().value(), exchange) }
    }

    /// Refuse an unknown name, and take a known one that a client encodes in another way.
    var anyQuery: [Route<Caller>] {
        [HTTPRequest.Method.get, .post].map { method in
            Route(
                method, "/queries/{name}", scope: scope, APIOperation("query", "Answers a query.", answers: []),
                isStrict: false
            ) { exchange in
                let name = exchange.path["name"] ?? ""
                guard let fields = orchestrator.fields(ofQuery: name) else {
                    throw DispatchError.unknownQuery(name.cut(to: 255), known: orchestrator.queries())
                }
                let json = try await method == .get ? self.fields(fields, exchange) : exchange.body().value()
                return try await ask(name, json, exchange)
            }
        }
    }

    /// The fields from the parameters of the URL. Where not all fields are known, the others are text.
    private func fields(_ fields: RequestFields, _ exchange: DomainExchange) -> JSON {
        var object = JSON.Object()
        for name in exchange.query.names {
            guard let text = exchange.query.text(name) else { continue }
            object[name] = fields.fields.first { $0.name == name }.map { $0.value(of: text) } ?? .string(text)
        }
        return .object(object)
    }

    private func ask(_ name: String, _ fields: JSON, _ exchange: DomainExchange) async throws -> Response {
        let position = try header(.position, exchange).map { text in
            guard let number = Int(digits: text) else {
                throw ValidationError(["Disco-Position": ["must be a position: a whole number from 0"]])
            }
            return Position(rawValue: Int64(number))
        }
        return try await run(name, exchange) {
            if let position {
                let head = try await orchestrator.head()
                guard position <= head else {
                    throw ValidationError([
                        "Disco-Position": ["must not be beyond the last position of the store, which is \(head)"]
                    ])
                }
            }
            let output = try await orchestrator.query(name, fields, after: position, within: settings.limits.waitTime)
            return .json(JSONText(output), headers: position.map { [.position: "\($0.rawValue)"] } ?? [:])
        }
    }
}
#endif
