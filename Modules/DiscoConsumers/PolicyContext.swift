public import DiscoCore
import Foundation

/// What a policy knows about the event that it processes, and how it sends commands.
///
/// ```swift
/// func process(_ event: RecordedEvent, in context: PolicyContext) async throws -> Outcome {
///     try await context.dispatch(CloseDoor(id: event.stream.id), by: orchestrator)
///     return .done
/// }
/// ```
public struct PolicyContext: Sendable {
    private let event: RecordedEvent
    private let sender: PolicySender

    /// Creates a context like that in which a consumer would process an event, for testing a policy.
    ///
    /// - Parameters:
    ///   - event: the event that the policy gets.
    ///   - consumer: the name under which the policy runs.
    ///   - attempt: how often the event has been tried, this time included.
    public init(for event: RecordedEvent, consumer: String = "policy", attempt: Int = 1) {
        self.event = event
        sender = PolicySender(consumer: consumer, event: event.id, attempt: attempt)
    }

    init(event: RecordedEvent, sender: PolicySender) {
        self.event = event
        self.sender = sender
    }

    /// How often the event has been tried, this time included.
    public var attempt: Int { sender.attempt }

    /// Dispatches a command that takes effect once, however often the event is delivered: by this process after an
    /// error, or by another one after a crash. What it records is caused by the event.
    ///
    /// Its idempotency key is made of the names of the consumer and the command, the event's id, and a number that
    /// counts the commands of that name. So the policy must send the same commands in the same order each time that it
    /// gets the event. A ``/DiscoCore/KeyedCommand`` keeps its own key.
    ///
    /// A refusal that the policy does not catch makes the event fail: the command is tried again with it. If the policy
    /// catches the refusal and goes on, the command can no longer take effect, before the policy's next command is sent
    /// or the event is done. When the event is delivered once more, the refusal is ``RefusedBefore``.
    ///
    /// - Parameters:
    ///   - command: the command to run.
    ///   - orchestrator: runs it.
    ///   - name: used in the key instead of the command's name. Commands that are sent concurrently need names of their
    ///     own, because their order may differ from one time to the next.
    /// - Throws: what ``/DiscoCore/Orchestrator`` throws, ``RefusedBefore``, or ``CommandChanged``.
    @discardableResult
    public func dispatch<C: AggregateCommand>(
        _ command: C, by orchestrator: Orchestrator, as name: String? = nil
    ) async throws -> Dispatched<C.State> {
        try await sender.send(command, orchestrator, as: name) { [metadata] key in
            try await orchestrator.dispatch(command, under: key, metadata: metadata)
        }
    }

    /// Dispatches a command that is decided on a model; the parameters are those of an aggregate's command.
    @discardableResult
    public func dispatch<C: ModelCommand>(
        _ command: C, by orchestrator: Orchestrator, as name: String? = nil
    ) async throws -> Dispatched<C.Model> {
        try await sender.send(command, orchestrator, as: name) { [metadata] key in
            try await orchestrator.dispatch(command, under: key, metadata: metadata)
        }
    }

    /// Dispatches an action; the parameters are those of an aggregate's command.
    ///
    /// - Returns: `nil` if the action took effect when the event was delivered before, and cannot tell its output again:
    ///   see ``/DiscoCore/ActionCommand/repeated(_:in:)``.
    @discardableResult
    public func dispatch<C: ActionCommand>(
        _ command: C, by orchestrator: Orchestrator, as name: String? = nil
    ) async throws -> Dispatched<C.Output>? {
        try await sender.send(command, orchestrator, as: name) { [metadata] key in
            do {
                return try await orchestrator.dispatch(command, under: key, metadata: metadata)
            } catch DispatchError.notRepeatable {
                return nil
            }
        }
    }

    private var metadata: Metadata { .caused(by: event) }
}

/// A command was refused when it was sent for the same event before, and the policy went on: it cannot take effect any
/// more.
public struct RefusedBefore: Refusal, Hashable {
    public let command: String

    public init(command: String) { self.command = command }

    public var code: String { "refused_before" }
    public var message: String { "The command \(command) was refused when it was sent for this event before." }
    public var data: JSON.Object { ["command": .string(command)] }
}

/// A policy sent another command than at an earlier attempt for the same event; that one may have taken effect. The
/// event is parked at once.
public struct CommandChanged: DescribedError, Hashable {
    public let command: String
    public let key: String

    public init(command: String, key: String) {
        self.command = command
        self.key = key
    }

    public var code: String { "command_changed" }
    public var message: String {
        "The policy sent \(command) with other fields than at an earlier attempt for this event, so it was not carried out (key \(key)). "
            + "See what the earlier one did, then discard the event, or restore the earlier code and retry it."
    }
    public var data: JSON.Object { ["command": .string(command), "key": .string(key)] }
}

/// Sends the commands of a policy for one recorded event.
final class PolicySender: Sendable {
    private struct State: Sendable {
        /// How many commands of each name were sent.
        var counts: [String: Int] = [:]
        /// Closes the keys of commands that failed: they could still take effect.
        var open: [@Sendable () async throws -> Void] = []
        var hasChanged = false
    }

    let attempt: Int
    private let consumer: String
    private let event: UUID
    private let state = Locked(State())

    init(consumer: String, event: UUID, attempt: Int) {
        self.consumer = consumer
        self.event = event
        self.attempt = attempt
    }

    /// Whether a command differed from that of an earlier attempt: another attempt cannot help.
    var hasChangedCommand: Bool { state.withLock { $0.hasChanged } }

    func send<C: Command, Output: Sendable>(
        _ command: C, _ orchestrator: Orchestrator, as name: String?, _ send: (String) async throws -> Output
    ) async throws -> Output {
        // The policy goes on: what it has seen refused must stay refused.
        try await settle()
        let key = (command as? any KeyedCommand)?.idempotencyKey ?? key(name ?? C.name)
        do {
            return try await send(key)
        } catch let conflict as IdempotencyConflict where conflict.key == key {
            try await close(key, command, orchestrator)
            throw RefusedBefore(command: C.name)
        } catch {
            state.withLock { state in
                state.open.append { [self] in try await close(key, command, orchestrator) }
            }
            throw error
        }
    }

    /// Makes what failed so far final.
    ///
    /// - Throws: ``TookEffect`` if a command took effect although it seemed to fail.
    func settle() async throws {
        // Commands may be sent concurrently: each failed one is taken by one of them.
        while let close = state.withLock({ $0.open.popLast() }) {
            do {
                try await close()
            } catch {
                state.withLock { $0.open.append(close) }
                throw error
            }
        }
    }

    private func close<C: Command>(_ key: String, _ command: C, _ orchestrator: Orchestrator) async throws {
        do {
            try await orchestrator.close(key, of: command)
        } catch is IdempotencyConflict {
            // Looked up under the command's own content: did this command take effect, or another one?
            do {
                _ = try await orchestrator.recorded(under: key, of: command)
            } catch is IdempotencyConflict {
                state.withLock { $0.hasChanged = true }
                throw CommandChanged(command: C.name, key: key)
            }
            throw TookEffect(command: C.name)
        }
    }

    private func key(_ name: String) -> String {
        let number = state.withLock { state in
            state.counts[name, default: 0] += 1
            return state.counts[name] ?? 1
        }
        let id = event.uuidString.lowercased()
        let key = "\(IdempotencyKey.policyPrefix)\(consumer)/\(id)/\(name)/\(number)"
        if key.utf8.count <= NameCheck.longestKey { return key }
        // The event's id alone makes it unique up to the consumer and the name.
        let hash = String(FNV1a.hash("\(consumer)/\(name)"), radix: 16)
        return "\(IdempotencyKey.policyPrefix)#\(hash)/\(id)/\(number)"
    }
}

/// A command seemed to fail, but took effect.
struct TookEffect: Error, CustomStringConvertible {
    let command: String

    var description: String {
        "The command \(command) took effect although it seemed to fail; the event is processed again."
    }
}
