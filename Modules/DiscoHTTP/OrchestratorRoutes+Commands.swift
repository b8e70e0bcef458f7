#if HTTP
import DiscoCore
import DiscoHTTPSupport
import HTTPTypes
import Hummingbird

extension OrchestratorRoutes {
    var commands: [Route<Caller>] {
        orchestrator.commands().compactMap { name in
            orchestrator.fields(ofCommand: name).map { command(name, $0) }
        }
    }

    private func command(_ name: String, _ fields: RequestFields) -> Route<Caller> {
        Route(
            .post, "/commands/" + PercentEncoding.encode(name), scope: scope,
            APIOperation(
                "dispatch_" + name, "Runs the command \(name).",
                parameters: [
                    .header(
                        HeaderKey.name,
                        "A key under which the command takes effect once, however often it is sent: 1 to 255 visible "
                            + "ASCII characters or spaces, not beginning with `$`.", HeaderKey.schema),
                    .header(
                        "Disco-Await",
                        "The consumers, separated by commas, that must have passed what was recorded before the answer "
                            + "is sent."),
                    .header("traceparent", "The trace that the request belongs to, which is recorded with the events."),
                    .header("tracestate", "What other systems add to the trace."),
                ],
                body: [(MediaType.json, fields.schema)],
                answers: [
                    (
                        200,
                        APIOperation.Answer(
                            "The result: the state after the command, or what the command returns.",
                            [(MediaType.json, fields.outputSchema)],
                            headers: [
                                .init(
                                    "Disco-Position",
                                    "The position of the last recorded event, for queries that must include it. "
                                        + "Missing if there was nothing to record.", APIOperation.position),
                                .init(
                                    "Idempotent-Replayed",
                                    "`true` if the command took effect before, under the same key.",
                                    ["enum": ["true"]]),
                                .init(
                                    "Disco-Behind", "Those of the consumers in Disco-Await that are still behind."),
                            ])
                    )
                ], problems: [403, 404, 409, 410, 422, 429, 501, 504])
        ) { exchange in try await dispatch(name, exchange) }
    }

    /// Refuses an unknown name, and takes a known one that a client encodes in another way.
    var anyCommand: Route<Caller> {
        Route(
            .post, "/commands/{name}", scope: scope, APIOperation("dispatch", "Runs a command.", answers: [])
        ) { exchange in
            let (name, known) = (exchange.path["name"] ?? "", orchestrator.commands())
            guard known.contains(name) else { throw DispatchError.unknownCommand(name.cut(to: 255), known: known) }
            return try await dispatch(name, exchange)
        }
    }

    private func dispatch(_ name: String, _ exchange: DomainExchange) async throws -> Response {
        let key = try key(exchange)
        let consumers = try header(.await, exchange).map { text in
            text.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }.filter { !$0.isEmpty }
        }
        let fields = try await exchange.body().value()
        let metadata = exchange.caller.metadata.belonging(to: TraceContext(exchange.request.headers))
        return try await run(name, exchange) {
            let answer = try await orchestrator.dispatch(
                name, fields, metadata: metadata, key: key, awaiting: consumers ?? [],
                within: settings.limits.waitTime)
            var headers = HTTPFields()
            if let position = answer.position { headers[.position] = "\(position.rawValue)" }
            if answer.repeated { headers[.replayed] = "true" }
            if !answer.behind.isEmpty {
                headers[.behind] = answer.behind.map { PercentEncoding.encode($0.consumer) }.joined(separator: ", ")
            }
            return .json(JSONText(answer.output), headers: headers)
        }
    }

    /// The idempotency key, which is the caller's own: another caller's is another key.
    private func key(_ exchange: DomainExchange) throws -> String? {
        guard let key = try header(.idempotencyKey, exchange) else { return nil }
        let owner = exchange.caller.name.isEmpty ? "" : PercentEncoding.encode(exchange.caller.name) + ":"
        let longest = max(1, 255 - owner.utf8.count)
        try HeaderKey.check(key, longest: longest)
        return owner + key
    }
}
#endif
