/// An incoming command or query: typed, or as fields that may be invalid. Decoded and validated once.
struct Incoming<R: NamedRequest>: Sendable {
    private let request: Result<R, any Error>

    init(_ request: R) { self.request = Result { try request.validated() }.map { request } }
    init(fields: JSON) { request = Result { try R(validating: fields) } }

    /// `nil` if it is invalid.
    var value: R? { try? request.get() }

    /// - Throws: ``ValidationError``.
    func valid() throws -> R { try request.get() }
}

/// The options of a dispatch, beside the command.
struct DispatchOptions: Sendable {
    var metadata: Metadata
    var key: String?
    var consumers: [String]
    var limit: Duration
    /// Whether the key may be one that callers must not use.
    var mayUseReservedKeys = false
}

/// A command by name, with its fields decoded: the queue orders it, and the orchestrator runs it.
struct IncomingCommand: Sendable {
    /// The stream of the command's aggregate, if it has one.
    let lane: StreamID?
    let carryOut: @Sendable (DispatchOptions) async throws -> Dispatched<JSON>
}
