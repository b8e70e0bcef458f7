/// An error with a code that programs can branch on, a sentence for people, and what the sentence speaks of as data.
public protocol DescribedError: Error {
    /// Snake case, for example `insufficient_funds`. By default made from the case's or type's name.
    var code: String { get }
    /// A sentence for people.
    var message: String { get }
    /// What the sentence speaks of, as data.
    var data: JSON.Object { get }
}

extension DescribedError {
    public var code: String { DerivedName.snakeCase(String(describing: self).prefix { $0.isLetter || $0.isNumber }) }
    public var data: JSON.Object { JSON.Object() }
}

/// A refusal: the program works, and the answer is no. What commands throw to refuse.
public protocol Refusal: DescribedError {}

/// Any error by its code, message and data.
public struct ErrorDescription: Hashable, Sendable {
    public let code: String
    public let message: String
    public let data: JSON.Object
    /// Whether the answer is no, and not that something went wrong.
    public let isRefusal: Bool

    public init(_ error: any Error) {
        switch error {
        case let error as any DescribedError:
            code = error.code
            message = error.message
            data = error.data
            isRefusal = error is any Refusal
        case let error as EventStoreError:
            code = error.code.rawValue
            message = error.message
            data = JSON.Object()
            isRefusal = [.unknownStream, .unknownConsumer, .invalidAppend, .invalidArgument].contains(error.code)
        case let error as JSONError:
            code = "invalid_json"
            message = error.description
            data = JSON.Object([("offset", JSON(integerLiteral: error.offset))])
            isRefusal = true
        case is CancellationError:
            code = "cancelled"
            message = "This was cancelled."
            data = JSON.Object()
            isRefusal = true
        default:
            code = "internal"
            message = String(describing: error)
            data = JSON.Object()
            isRefusal = false
        }
    }
}

extension JSON {
    /// Any error as an object: `{"error": code, "message": …}` and what belongs to it.
    public init(describing error: any Error) {
        let description = ErrorDescription(error)
        var object = Object([("error", .string(description.code)), ("message", .string(description.message))])
        for member in description.data { object[member.name] = member.value }
        self = .object(object)
    }
}
