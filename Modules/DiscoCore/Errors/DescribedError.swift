/// An error with a code that programs can branch on, a sentence for people, and the details of the sentence as data.
public protocol DescribedError: Error {
    /// A code in snake case, for example `insufficient_funds`. Defaults to the name of the case or type.
    var code: String { get }
    /// The kind of error. Defaults to ``ErrorKind/internal``, or to ``ErrorKind/conflict`` for a ``Refusal``.
    var kind: ErrorKind { get }
    /// A sentence for people.
    var message: String { get }
    /// The details of the message, as data.
    var data: JSON.Object { get }
}

extension DescribedError {
    public var code: String { DerivedName.snakeCase(String(describing: self).prefix { $0.isLetter || $0.isNumber }) }
    public var kind: ErrorKind { .internal }
    public var data: JSON.Object { [:] }
}

/// An error that commands throw to refuse: the program works, and the answer is no.
public protocol Refusal: DescribedError {}

extension Refusal {
    public var kind: ErrorKind { .conflict }
}

/// The code, kind, message and data of any error.
public struct ErrorDescription: Hashable, Sendable {
    public let code: String
    public let kind: ErrorKind
    public let message: String
    public let data: JSON.Object

    public init(_ error: any Error) {
        switch error {
        case let error as any DescribedError:
            self.init(error.code, error.kind, error.message, error.data)
        case let error as EventStoreError:
            self.init(error.code.name, error.code.kind, error.message)
        case let error as JSONError:
            self.init("invalid_json", .invalid, error.description, ["offset": JSON(error.offset)])
        case is CancellationError:
            self.init("cancelled", .exhausted, "The call was cancelled.")
        default:
            self.init("internal", .internal, String(describing: error))
        }
    }

    init(_ code: String, _ kind: ErrorKind, _ message: String, _ data: JSON.Object = [:]) {
        self.code = code
        self.kind = kind
        self.message = message
        self.data = data
    }
}

extension JSON {
    /// Any error as an object: `{"error": code, "kind": …, "message": …}` and the members of its data, except members
    /// with one of these three names.
    public init(describing error: any Error) {
        let description = ErrorDescription(error)
        var object: Object = [
            "error": .string(description.code), "kind": .string(description.kind.rawValue),
            "message": .string(description.message),
        ]
        for member in description.data where object[member.name] == nil { object[member.name] = member.value }
        self = .object(object)
    }
}
