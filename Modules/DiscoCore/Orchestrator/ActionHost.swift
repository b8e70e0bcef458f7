/// Runs actions.
struct ActionHost: Sendable {
    let client: EventStoreClient
    let attempts: Int
    let hosts: AggregateHosts

    func dispatch<C: ActionCommand>(_ command: C, _ call: Call) async throws -> Dispatched<C.Output> {
        let key = try call.key.map { try IdempotencyKey($0, for: command) }
        var conflicts = 0
        while true {
            // A new context for each attempt, in which nothing has been appended yet.
            let context = ActionContext(client: client, metadata: call.metadata, hosts: hosts, key: key)
            if let first = try await recorded(under: key) { return try await replay(first, command, call) }
            do {
                let output = try await command.run(in: context)
                return Dispatched(output, appended: context.appended.withLock { $0 }, conflicts: conflicts)
            } catch let before as RecordedBefore {
                return try await replay(before.appended, command, call)
            } catch is VersionConflict where conflicts + 1 < attempts && context.hasAppendedNothing {
                conflicts += 1
            } catch {
                // The error may come from this command's own first run.
                if context.hasAppendedNothing, let first = try await recorded(under: key) {
                    return try await replay(first, command, call)
                }
                throw error
            }
        }
    }

    private func recorded(under key: IdempotencyKey?) async throws -> Appended? {
        guard let key else { return nil }
        return try await client.recorded(under: key)
    }

    private func replay<C: ActionCommand>(
        _ appended: Appended, _ command: C, _ call: Call
    ) async throws -> Dispatched<C.Output> {
        let context = ActionContext(client: client, metadata: call.metadata, hosts: hosts, key: nil)
        let output = try await command.repeated(appended, in: context)
        return Dispatched(output, appended: [appended], repeated: true)
    }
}
