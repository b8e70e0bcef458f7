/// An error with a code that programs can branch on, a sentence for people, and the details of the sentence as data.
public protocol DescribedError: Error {
    /// Snake case, for example `insufficient_funds`. By default made from the case's or type's name.
    var code: String { get }
    /// ``ErrorKind/internal`` unless stated otherwise; of a ``Refusal``, ``ErrorKind/conflict``.
    var kind: ErrorKind { get }
    /// A sentence for people.
    var message: String { get }
    /// The details that the sentence names, as data.
    var data: JSON.Object { get }
}

extension DescribedError {
    public var code: String { DerivedName.snakeCase(String(describing: self).prefix { $0.isLetter || $0.isNumber }) }
    public var kind: ErrorKind { .internal }
    public var data: JSON.Object { [:] }
}

/// A refusal: the program works, and the answer is no. What commands throw to refuse.
public protocol Refusal: DescribedError {}

extension Refusal {
    public var kind: ErrorKind { .conflict }
}

/// Any error by its code, kind, message and data.
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
    /// Any error as an object: `{"error": code, "kind": …, "message": …}` and its data, of which members with one of
    /// these three names are left out.
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
