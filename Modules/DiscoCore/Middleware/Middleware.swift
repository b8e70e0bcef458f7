/// Wraps every dispatch and query: it can inspect the call, add metadata, refuse or limit it, and pass it on.
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
/// The first in a list is the outermost. Validation, idempotency keys and retries after conflicts run inside all
/// middleware, so it sees one call for each request, with the outcome that the caller gets.
public protocol Middleware: Sendable {
    typealias Next<Answer> = @Sendable (Call) async throws -> Answer

    func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer
}

/// A chain of middleware.
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
