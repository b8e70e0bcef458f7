#if Observability
public import DiscoCore
public import Tracing

/// Creates a span for every command and query, and passes the trace on with the events.
///
/// A command's events carry the context of its span in their metadata (``/DiscoCore/Metadata/trace``), and
/// `Metadata.caused(by:)` passes it on, so what a policy dispatches because of an event belongs to the trace of the
/// event. A current span takes precedence over the metadata.
public struct CallTracingMiddleware: Middleware {
    private let tracer: any Tracer

    public init(tracer: any Tracer = InstrumentationSystem.tracer) { self.tracer = tracer }

    public func handle<Answer: Sendable>(_ call: Call, next: Next<Answer>) async throws -> Answer {
        var context = ServiceContext.current ?? .topLevel
        if ServiceContext.current == nil, call.metadata.values != nil {
            tracer.extract(call.metadata.trace, into: &context, using: TraceStrings())
        }
        return try await tracer.withAnySpan("\(call.kind.rawValue) \(call.name)", context: context) { span in
            var call = call
            if call.kind == .command {
                var trace: [String: String] = [:]
                tracer.inject(span.context, into: &trace, using: TraceStrings())
                if !trace.isEmpty { call.metadata.trace = trace }
            }
            span.updateAttributes { $0["disco.name"] = call.name }
            do {
                return try await next(call)
            } catch {
                span.updateAttributes { $0["disco.code"] = ErrorDescription(error).code }
                throw error
            }
        }
    }
}

/// A trace context as strings.
struct TraceStrings: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
}
#else
@available(*, unavailable, message: "Enable the `Observability` trait in the dependency on disco to use this type.")
public struct CallTracingMiddleware {}
#endif
