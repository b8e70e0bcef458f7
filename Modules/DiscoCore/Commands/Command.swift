public import Foundation

/// A request with fields and rules; see ``CreateCommand``, ``UpdateCommand`` and ``ActionCommand`` for what can be
/// asked.
public protocol Command: NamedRequest {}

/// What commands and queries have in common: a name, fields and rules.
public protocol NamedRequest: Codable, Sendable {
    /// By which it is called; the type's name in snake case unless stated otherwise.
    static var name: String { get }
    /// One or more for each field that can be wrong.
    static var rules: [FieldRule<Self>] { get }
    /// What no single field can tell; throws a ``ValidationError``.
    func validate() throws
}

extension NamedRequest {
    public static var name: String { DerivedName.snakeCase(of: Self.self) }
    public static var rules: [FieldRule<Self>] { [] }
    public func validate() throws {}
}

/// A command decided by one aggregate: pure, so that it can be decided again when the aggregate has changed meanwhile.
///
/// Most are a ``CreateCommand`` or an ``UpdateCommand``. One whose decision depends on the time conforms to this itself:
/// it says which aggregate it is for, and is given the time of day, which tests set.
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

    /// Which aggregate, and whether it must exist.
    var target: CommandTarget<State.ID> { get }

    /// Decides: the events to record, none where there is nothing to do. A refusal is an error of the application's own.
    ///
    /// - Parameters:
    ///   - state: the aggregate, folded from its events.
    ///   - now: the current time, read again each time that the command is decided.
    func run(on state: State, at now: Date) throws -> [State.Event]
}

/// A command decided by the state of its aggregate alone: what ``CreateCommand`` and ``UpdateCommand`` are.
public protocol TimelessCommand<State>: AggregateCommand {
    associatedtype State

    /// Decides: the events to record, none where there is nothing to do. A refusal is an error of the application's own.
    func run(on state: State) throws -> [State.Event]
}

extension TimelessCommand {
    public func run(on state: State, at now: Date) throws -> [State.Event] { try run(on: state) }
}

/// Which aggregate a command is for.
public enum CommandTarget<ID: AggregateID>: Sendable {
    /// One that must not exist yet; nil for a new id.
    case new(ID?)
    /// One that must exist.
    case existing(ID)
    /// Either.
    case any(ID)

    /// Nil for one that has none yet.
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

/// Makes a new aggregate; refused with ``DispatchError/aggregateExists(_:)`` where it exists.
public protocol CreateCommand<State>: TimelessCommand {}

extension CreateCommand {
    public var target: CommandTarget<State.ID> { .new(nil) }
}

/// Changes an aggregate; refused with ``DispatchError/aggregateNotFound(_:)`` where it does not exist.
public protocol UpdateCommand<State>: TimelessCommand {
    var id: State.ID { get }
}

extension UpdateCommand {
    public var target: CommandTarget<State.ID> { .existing(id) }
}

/// A command that is free: it may load several aggregates, append for all of them at once, and answer anything.
///
/// On a conflict it is run again, so what it does beside appending happens again too.
///
/// Under an idempotency key it appends once, and the key stands for that append: what it does beside may happen again.
public protocol ActionCommand: Command {
    associatedtype Output: Encodable & Sendable
    func run(in context: ActionContext) async throws -> Output

    /// The answer to a repeat under the same key, made from what was recorded the first time; nothing is done.
    ///
    /// Unless it is given, a repeat is refused with ``DispatchError/notRepeatable(_:)``.
    func repeated(_ appended: Appended, in context: ActionContext) async throws -> Output
}

extension ActionCommand {
    public func repeated(_ appended: Appended, in context: ActionContext) async throws -> Output {
        throw DispatchError.notRepeatable(Self.name)
    }
}
