/// Stands around every dispatch and every query: it may look, add metadata, refuse, or limit, and hands on to what
/// comes next.
///
/// ```swift
/// struct OnlyByDay: Middleware {
///     func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
///         guard isDay() else { throw NotByNight() }
///         return try await next(call)
///     }
/// }
/// let orchestrator = Orchestrator(client: client, aggregates: [Wallet.self], middleware: [OnlyByDay()])
/// ```
///
/// The first of a list is the outermost. Validation, idempotency keys and conflicts that are decided anew lie inside
/// all of it, so it sees one call for each request, with the outcome that the caller gets.
public protocol Middleware: Sendable {
    typealias Next<Answer> = @Sendable (Call) async throws -> Answer

    func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer
}

/// The chain of them.
struct MiddlewareChain: Sendable {
    let middleware: [any Middleware]

    func run<Answer: Sendable>(
        _ call: Call, from index: Int = 0, _ body: @Sendable (Call) async throws -> Answer
    ) async throws -> Answer {
        guard index < middleware.count else { return try await body(call) }
        return try await withoutActuallyEscaping(body) { body in
            try await middleware[index].handle(call) { call in try await run(call, from: index + 1, body) }
        }
    }
}
