public import Foundation

/// A request with fields and rules. The kinds are ``CreateCommand``, ``UpdateCommand``, ``ActionCommand`` and
/// ``DecisionCommand``.
public protocol Command: NamedRequest {}

/// What commands and queries have in common: a name, fields and rules.
public protocol NamedRequest: Codable, Sendable {
    /// The name by which the request is dispatched. Defaults to the type's name in snake case.
    static var name: String { get }
    /// The rules for the fields: one or more for each field that can be invalid.
    static var rules: [FieldRule<Self>] { get }
    /// Checks what no single field can show; throws a ``ValidationError``.
    func validate() throws
}

extension NamedRequest {
    public static var name: String { DerivedName.snakeCase(of: Self.self) }
    public static var rules: [FieldRule<Self>] { [] }
    public func validate() throws {}
}

/// A command decided by one aggregate. It is pure, so that it can be decided again if the aggregate has changed
/// meanwhile.
///
/// Most commands conform to ``CreateCommand`` or ``UpdateCommand``. A command whose decision depends on the time
/// conforms to this protocol directly: it states its target and receives the current time, which tests can set.
///
/// ```swift
/// struct AcceptOffer: AggregateCommand {
///     let id: UUID
///     var target: CommandTarget<UUID> { .existing(id) }
///     func run(on offer: Offer, at now: Date) throws -> [Offer.Event] {
///         guard now < offer.expires else { throw OfferRefusal.expired }
///         return [.offerAccepted]
///     }
/// }
/// ```
public protocol AggregateCommand<State>: Command {
    associatedtype State: Aggregate

    /// The aggregate the command is for, and whether it must exist.
    var target: CommandTarget<State.ID> { get }

    /// Decides which events to record; returns none if there is nothing to do. Throws an application error to refuse.
    ///
    /// - Parameters:
    ///   - state: the aggregate, folded from its events.
    ///   - now: the current time, read again each time the command is decided.
    func run(on state: State, at now: Date) throws -> [State.Event]
}

/// A command whose decision depends only on the state of its aggregate, such as ``CreateCommand`` and
/// ``UpdateCommand``.
public protocol TimelessCommand<State>: AggregateCommand {
    associatedtype State

    /// Decides which events to record; returns none if there is nothing to do. Throws an application error to refuse.
    func run(on state: State) throws -> [State.Event]
}

extension TimelessCommand {
    public func run(on state: State, at now: Date) throws -> [State.Event] { try run(on: state) }
}

/// The aggregate a command is for.
public enum CommandTarget<ID: AggregateID>: Sendable {
    /// An aggregate that must not exist yet; `nil` for a new id.
    case new(ID?)
    /// An aggregate that must exist.
    case existing(ID)
    /// An aggregate that may or may not exist.
    case any(ID)

    /// `nil` if the aggregate has no id yet.
    package var id: ID? {
        switch self {
        case .new(let id): id
        case .existing(let id), .any(let id): id
        }
    }

    package func check(exists: Bool, stream: StreamID) throws {
        switch self {
        case .new where exists: throw DispatchError.aggregateExists(stream)
        case .existing where !exists: throw DispatchError.aggregateNotFound(stream)
        default: break
        }
    }
}

/// Creates an aggregate; refused with ``DispatchError/aggregateExists(_:)`` if it exists.
public protocol CreateCommand<State>: TimelessCommand {}

extension CreateCommand {
    public var target: CommandTarget<State.ID> { .new(nil) }
}

/// Changes an aggregate; refused with ``DispatchError/aggregateNotFound(_:)`` if it does not exist.
public protocol UpdateCommand<State>: TimelessCommand {
    var id: State.ID { get }
}

extension UpdateCommand {
    public var target: CommandTarget<State.ID> { .existing(id) }
}

/// A command with its own logic: it may load several aggregates, append to all of them at once, and return any output.
///
/// On a conflict it runs again, so its side effects other than appending happen again too.
///
/// With an idempotency key it appends once, and the key covers only that append: its other side effects may happen
/// again.
public protocol ActionCommand: Command {
    associatedtype Output: Encodable & Sendable
    func run(in context: ActionContext) async throws -> Output

    /// Returns the output for a repeat under the same key, made from what was recorded the first time; nothing is done
    /// again.
    ///
    /// By default, a repeat is refused with ``DispatchError/notRepeatable(_:)``.
    func repeated(_ appended: Appended, in context: ActionContext) async throws -> Output
}

extension ActionCommand {
    public func repeated(_ appended: Appended, in context: ActionContext) async throws -> Output {
        throw DispatchError.notRepeatable(Self.name)
    }
}
