/// Dispatching under keys that are reserved for Disco: those of policies.
extension Orchestrator {
    package func dispatch<C: AggregateCommand>(
        _ command: C, under key: String?, metadata: Metadata
    ) async throws -> Dispatched<C.State> {
        try await carryOut(Incoming(command), .reserved(key, metadata), try host(of: C.self).dispatch)
    }

    package func dispatch<C: ModelCommand>(
        _ command: C, under key: String?, metadata: Metadata
    ) async throws -> Dispatched<C.Model> {
        try await carryOut(Incoming(command), .reserved(key, metadata), decisions.dispatch)
    }

    package func dispatch<C: ActionCommand>(
        _ command: C, under key: String?, metadata: Metadata
    ) async throws -> Dispatched<C.Output> {
        try await carryOut(Incoming(command), .reserved(key, metadata), actions.dispatch)
    }

    /// Closes a key, so that the command that was refused under it can no longer take effect. It may be repeated.
    ///
    /// - Throws: ``IdempotencyConflict`` if the key was used: by the command, which took effect after all, or by another
    ///   command.
    package func close(_ key: String, of command: some Command) async throws {
        var key = try IdempotencyKey(key, for: command)
        key.fingerprint = "refused:" + key.fingerprint
        _ = try await client.appendSurely(Append([], key: key))
    }

    /// What a command has recorded under its key, or `nil` if the key was not used.
    ///
    /// - Throws: ``IdempotencyConflict`` if the key was used by another command, or closed.
    package func recorded(under key: String, of command: some Command) async throws -> Appended? {
        try await client.recorded(under: IdempotencyKey(key, for: command))
    }
}

extension DispatchOptions {
    fileprivate static func reserved(_ key: String?, _ metadata: Metadata) -> DispatchOptions {
        DispatchOptions(metadata: metadata, key: key, consumers: [], limit: .zero, mayUseReservedKeys: true)
    }
}
