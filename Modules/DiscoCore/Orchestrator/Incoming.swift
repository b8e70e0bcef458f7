/// A command or query as it came in: of its type, or as fields that may not make one. Decoded and validated once.
struct Incoming<R: NamedRequest>: Sendable {
    private let request: Result<R, any Error>

    init(_ request: R) { self.request = Result { try request.validated() }.map { request } }
    init(fields: JSON) { request = Result { try R(validating: fields) } }

    /// Nil where it is not valid.
    var value: R? { try? request.get() }

    /// - Throws: ``ValidationError``.
    func valid() throws -> R { try request.get() }
}

/// What a dispatch comes with, beside the command.
struct DispatchOptions: Sendable {
    var metadata: Metadata
    var key: String?
    var consumers: [String]
    var limit: Duration
}

/// A command by name, its fields read: what a queue orders, and the orchestrator carries out.
struct IncomingCommand: Sendable {
    /// The stream of the aggregate that it is for, where there is one.
    let lane: StreamID?
    let carryOut: @Sendable (DispatchOptions) async throws -> Dispatched<JSON>
}
