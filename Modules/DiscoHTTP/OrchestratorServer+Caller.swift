#if HTTP
public import DiscoCore

extension OrchestratorServer {
    /// Who sends a request.
    public struct Caller: Sendable {
        /// The name in the access log. Idempotency keys of callers with different names are different keys.
        public var name: String
        /// Recorded with the events of the caller's commands.
        public var metadata: Metadata

        public init(name: String = "", metadata: Metadata = .none) {
            self.name = name
            self.metadata = metadata
        }

        /// The caller of the command or query that this task runs, for middleware, commands and queries.
        @TaskLocal public static var current: Caller?
    }
}
#endif
