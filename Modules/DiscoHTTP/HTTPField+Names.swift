#if HTTP
import DiscoHTTPSupport
import HTTPTypes

extension HTTPField.Name {
    static let idempotencyKey = known("Idempotency-Key")
    /// Whether the answer is that of an earlier request under the same key.
    static let replayed = known("Idempotent-Replayed")
    /// The position that the answer includes.
    static let position = known("Disco-Position")
    /// The consumers that a command's answer waits for.
    static let await = known("Disco-Await")
    /// Those of them that have not passed what was recorded.
    static let behind = known("Disco-Behind")
    static let traceparent = known("traceparent")
    static let tracestate = known("tracestate")
}
#endif
