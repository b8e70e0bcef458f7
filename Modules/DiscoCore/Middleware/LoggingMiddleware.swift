public import Logging

/// Logs every command and query with its name, duration and outcome.
///
/// Successes are logged at `level`, refusals at `level` with their code, and failures that are not the caller's at
/// `error` with their code and message. Fields are not logged, because they may be personal.
public struct LoggingMiddleware: Middleware {
    private let logger: Logger
    private let level: Logger.Level

    public init(logger: Logger, level: Logger.Level = .debug) {
        self.logger = logger
        self.level = level
    }

    public func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        let start = ContinuousClock.now
        do {
            let answer = try await next(call)
            if logger.logLevel <= level {
                logger.log(level: level, "\(call.kind.rawValue) \(call.name)", metadata: metadata(call, start))
            }
            return answer
        } catch {
            let description = ErrorDescription(error)
            var metadata = metadata(call, start)
            metadata["code"] = "\(description.code)"
            if !description.kind.isFailure {
                logger.log(level: level, "\(call.kind.rawValue) \(call.name) was refused", metadata: metadata)
            } else {
                metadata["error"] = "\(description.message)"
                logger.error("\(call.kind.rawValue) \(call.name) failed", metadata: metadata)
            }
            throw error
        }
    }

    private func metadata(_ call: Call, _ start: ContinuousClock.Instant) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["milliseconds": "\((ContinuousClock.now - start) / .milliseconds(1))"]
        if let id = call.metadata.correlationID { metadata["correlation_id"] = "\(id.lowercased)" }
        if let key = call.key { metadata["key"] = "\(key)" }
        return metadata
    }
}
